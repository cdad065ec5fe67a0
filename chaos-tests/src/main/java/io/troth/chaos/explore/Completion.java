package io.troth.chaos.explore;

import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.TimerKey;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentTimerKey;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Termination: from each world the failures stop, and then everything that is prepared must be resolved, everything that
 * is not prepared be gone, and the client get an answer. All streams break a last time, what was under way is lost, the
 * leader of the present epoch (or, when it trusts its log no more, of the next) stays, every agent has an instance that
 * dials it, and from then on each message is delivered once and in order, databases answer, and timers fire when nothing
 * else is left to do. There is only one such completion of a world, so a world that was met in a good one is good.
 */
final class Completion {

    /** Far more than any completion needs: from here on it is taken for endless. */
    private static final int ROUNDS_MAX = 40;

    private final World world;
    private final Scope scope;
    private final LongMap good = new LongMap();
    private final int losesStream;
    private final int starts;

    Completion(World world) {
        this.world = world;
        scope = world.scope;
        losesStream = world.things.number(Agents.Turn.LOSES_STREAM);
        starts = world.things.number(Agents.Turn.STARTS);
    }

    /** How many different worlds have been completed. */
    int size() {
        return good.size();
    }

    long growthBytes(int more) {
        return good.growthBytes(more);
    }

    /** Why this world has no good end, null when it has one. */
    @Nullable
    String missing(int[] from) {
        int[] at = from.clone();
        Arrays.fill(at, world.inbox(0), at.length, MessageSets.EMPTY);
        at[world.answers()] = 0;
        // Leaders of older epochs say nothing any more, so what they think makes no difference.
        for (int epoch = 1; epoch < world.logOf(at).epoch(); epoch++) {
            at[world.leader(epoch)] = Leaders.UNBORN;
        }
        long key = key(at);
        if (good.get(key) >= 0) {
            return null;
        }
        world.queue = new ArrayDeque<>();
        try {
            world.wrong = null;
            String missing = complete(at);
            if (missing == null) {
                good.put(key, 1);
            }
            return missing;
        } finally {
            world.queue = null;
        }
    }

    private static long key(int[] at) {
        return Fingerprints.of(at) & Long.MAX_VALUE;
    }

    private @Nullable String complete(int[] at) {
        reset(at);
        for (int round = 0; round < ROUNDS_MAX; round++) {
            settle(at);
            if (world.wrong != null) {
                return world.wrong;
            }
            String missing = unfinished(at);
            if (missing == null) {
                return null;
            }
            if (round == ROUNDS_MAX - 1) {
                return "Termination: " + missing;
            }
            askAndFire(at);
        }
        return null;
    }

    /** All connections break, the dead are replaced, everybody dials the leader that stays. */
    private void reset(int[] at) {
        for (int r = 0; r < scope.resources(); r++) {
            int[] unsettled = world.databases.unsettled(at[world.database(r)]);
            for (int i = 0; i < unsettled.length; i += 2) {
                // Of the two ways the harder one: it is prepared.
                at[world.database(r)] = world.databases.step(at[world.database(r)], unsettled[i]);
            }
        }
        int epoch = world.logOf(at).epoch();
        if (world.leaderOf(at, epoch).distrusted) {
            world.elect(at, world.logs.begin(at[world.log()], 0));
            epoch++;
        }
        for (long open = world.leaderOf(at, epoch).open(); open != 0; open &= open - 1) {
            int stream = Long.numberOfTrailingZeros(open);
            world.leader(at, epoch, world.things.number(new Event.AgentDisconnected(Streams.id(stream))));
        }
        if (world.clientOf(at, 0).by() == Clients.By.NOBODY) {
            for (int again = 0; again < 2; again++) {
                Event gone = new Event.ClientDisconnected(Names.clientStream(epoch, again));
                world.leader(at, epoch, world.things.number(gone));
            }
        }
        world.queue().clear();
        for (int i = 0; i < scope.agents.size(); i++) {
            if (world.agentOf(at, i).alive) {
                world.agent(at, i, losesStream);
            } else {
                world.agent(at, i, starts);
            }
        }
        answerAll(at);
        world.queue().clear();
        for (int i = 0; i < scope.agents.size(); i++) {
            world.agent(at, i, world.things.number(new Agents.Dials(epoch, true)));
        }
    }

    /** Everything happens that needs no time. */
    private void settle(int[] at) {
        do {
            world.deliverAll(at);
        } while (answerAll(at) && world.wrong == null);
    }

    /** The databases answer; false when they have nothing to. */
    private boolean answerAll(int[] at) {
        boolean any = false;
        for (int i = 0; i < scope.agents.size(); i++) {
            for (int left = 0; left < 20; left++) {
                Agents.State agent = world.agentOf(at, i);
                if (agent.list != null) {
                    world.agent(at, i, world.things.number(Agents.Turn.HEARS_LIST));
                } else if (agent.askedInputs.length > 0) {
                    int asked = agent.askedInputs[0];
                    world.answer(at, i, asked, Fault.NONE);
                } else {
                    break;
                }
                any = true;
            }
        }
        return any;
    }

    /** Time passes: the client asks, and every timer fires that does not take hours. */
    private void askAndFire(int[] at) {
        int epoch = world.logOf(at).epoch();
        if (scope.can(Scope.May.CLIENT_GOES_ON) && world.leaderOf(at, epoch).sessions == 0) {
            world.leader(at, epoch, world.things.number(world.clients.opensSession(epoch)));
        }
        for (int t = 0; t < scope.transactions(); t++) {
            Clients.State client = world.clientOf(at, t);
            if (client.asks()) {
                Event asks = client.by() == Clients.By.LEADER
                        ? world.clients.commit(client, epoch, 0)
                        : world.clients.question(client, epoch);
                world.leader(at, epoch, world.things.number(asks));
            }
        }
        for (int i = 0; i < scope.agents.size(); i++) {
            for (int timer : world.agentOf(at, i).timerInputs) {
                boolean soon =
                        !(((AgentEvent.TimerFired) world.things.get(timer)).key() instanceof AgentTimerKey.KeptSweep);
                if (soon) {
                    world.agent(at, i, timer);
                }
            }
        }
        for (int timer : world.leaderOf(at, epoch).timerInputs) {
            TimerKey key = ((Event.TimerFired) world.things.get(timer)).key();
            if (!(key instanceof TimerKey.SessionAge) && !(key instanceof TimerKey.Retention)) {
                world.leader(at, epoch, timer);
            }
        }
    }

    private @Nullable String unfinished(int[] at) {
        boolean restored = world.logOf(at).isRestored();
        for (int r = 0; r < scope.resources(); r++) {
            for (Databases.Branch branch : world.branches(at, r)) {
                // After a restore what was prepared is left to the operator (protocol 9.1).
                boolean left = restored && branch.stage() == Databases.Stage.PREPARED;
                if (branch.stage().isOpen() && !left) {
                    return branch.id() + " stays " + branch.stage();
                }
            }
        }
        for (int t = 0; t < scope.transactions(); t++) {
            if (world.clientOf(at, t).waits() && Answers.of(at[world.answers()], t) == 0) {
                return "the client gets no answer about " + scope.id(t);
            }
        }
        return null;
    }
}
