package io.troth.chaos.explore;

/** Numbers of the inboxes of a world: one for each agent, then one for each leader, then one for each client. */
final class Inboxes {

    private final int agents;
    private final int epochs;

    Inboxes(Scope scope) {
        agents = scope.agents.size();
        epochs = scope.epochs + 1;
    }

    int agent(int agent) {
        return agent;
    }

    int leader(int epoch) {
        return agents + epoch - 1;
    }

    int client(int tx) {
        return agents + epochs + tx;
    }

    boolean isLeader(int place) {
        return place >= agents && place < agents + epochs;
    }

    boolean isClient(int place) {
        return place >= agents + epochs;
    }

    int txOf(int place) {
        return place - agents - epochs;
    }

    int epochOf(int place) {
        return place - agents + 1;
    }
}
