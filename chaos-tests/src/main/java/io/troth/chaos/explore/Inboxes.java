package io.troth.chaos.explore;

/**
 * The places of a world, in the order in which its numbers stand: the log, the leaders, the agents, the databases, the
 * clients, what was answered, and then one inbox for each agent, leader and client.
 */
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

    int epochOf(int place) {
        return place - agents + 1;
    }
}
