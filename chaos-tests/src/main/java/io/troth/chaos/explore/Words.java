package io.troth.chaos.explore;

import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.participant.AgentEvent;

/** Says in words what a step is. */
final class Words {

    private Words() {}

    static String of(World world, int step) {
        int actor = Step.actor(step);
        int input = Step.input(step);
        return switch (Step.kind(step)) {
            case Step.LOG_ADVANCES -> "the log makes the oldest entry durable";
            case Step.LOG_PROPOSES_AGAIN -> "the log proposes a lost COMMIT again";
            case Step.LOG_IS_RESTORED -> "the log is restored from a backup, with DISTRUST, and the next epoch begins";
            case Step.ELECTION ->
                "the next epoch begins; entries in flight are kept by mask " + Integer.toBinaryString(input);
            case Step.LEADER -> "leader " + actor + " " + leader(world.things.get(input));
            case Step.AGENT -> agentName(world, actor) + " " + agent(world.things.get(input));
            case Step.DATABASE_ANSWERS ->
                "database "
                        + Names.resource(world.scope.agents.get(actor))
                        + " " + Fault.of(Step.fault(step)).words + " " + agentName(world, actor) + "'s "
                        + world.things.get(input);
            case Step.DATABASE_SETTLES -> "database " + Names.resource(actor) + ": " + world.things.get(input);
            case Step.CLIENT -> "client of T" + (actor + 1) + " " + client(world.things.get(input));
            default -> "?";
        };
    }

    private static String agentName(World world, int agent) {
        return "agent " + Names.resource(world.scope.agents.get(agent)) + (agent + 1);
    }

    private static String leader(Object input) {
        if (input instanceof LogEntry entry) {
            return "applies " + entry.record();
        } else if (input instanceof Event.TimerFired fired) {
            return "has a timer: " + fired.key();
        }
        return "hears " + input;
    }

    private static String agent(Object input) {
        if (input instanceof Agents.Said said) {
            return "hears from leader " + said.epoch() + ": " + said.message();
        } else if (input instanceof AgentEvent.TimerFired fired) {
            return "has a timer: " + fired.key();
        } else if (input instanceof Agents.Executes executes) {
            return "executes call " + executes.call() + (executes.nth() == 0 ? "" : ", which has been executed before")
                    + (executes.inPlace() ? ", in place" : "");
        } else if (input instanceof Agents.Dials dials) {
            return "dials leader " + dials.epoch();
        } else if (input instanceof Agents.Turn turn) {
            return switch (turn) {
                case LOSES_STREAM -> "loses its stream";
                case HEARS_LIST -> "gets the list of prepared xids";
                case DIES -> "dies";
                case STARTS -> "starts again";
            };
        }
        return String.valueOf(input);
    }

    private static String client(Object input) {
        if (input instanceof Agents.Reply reply) {
            return "gets the reply of call " + reply.call() + " from " + reply.branch();
        } else if (input == Clients.Step.COMMITS) {
            return "asks for commit";
        } else if (input == Clients.Step.ROLLS_BACK) {
            return "rolls back";
        } else if (input == Clients.Step.COMMITS_IN_PLACE) {
            return "commits in place";
        } else if (input == Clients.Step.TELLS) {
            return "tells its agents to commit";
        } else if (input == Clients.Step.SHARES) {
            return "shares T";
        }
        return "has ended T";
    }
}
