package io.troth.chaos.explore;

import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.coordinator.Action;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.Notice;
import io.troth.core.coordinator.StreamId;
import io.troth.core.coordinator.TimerKey;
import io.troth.core.coordinator.TransactionView;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The states of all leaders: the real coordinator's machine, with the timers and streams that its engine would keep. */
final class Leaders {

    /** The state of a leader that has not been elected yet. */
    static final int UNBORN = 0;

    /** {@code applied}: how many entries of its own epoch it has applied. */
    private record Key(
            int epoch,
            ByteBuffer machine,
            Set<TimerKey> timers,
            long seen,
            long gone,
            Set<GlobalTxId> fetching,
            int applied) {}

    /** One state, taken apart for those who look at it. */
    static final class State {
        final int epoch;
        final byte[] machine;
        final Set<TimerKey> timers;
        /** Streams of agents whose hello has come. */
        final long seen;
        /** Streams that are over for the leader. */
        final long gone;

        final Set<GlobalTxId> fetching;
        final int applied;
        /** Numbers of {@link Event.TimerFired}, in a fixed order. */
        final int[] timerInputs;
        /** The state of each transaction: 0 none, else 1 + its ordinal. */
        final int[] transactions;

        final boolean ready;
        final boolean distrusted;
        /** How many client sessions are open. */
        final int sessions;

        @SuppressWarnings("EnumOrdinal") // Only counted.
        private State(Key key, byte[] machine, int[] timerInputs, CoordinatorStateMachine real, Scope scope) {
            this.epoch = key.epoch;
            this.machine = machine;
            this.timers = key.timers;
            this.seen = key.seen;
            this.gone = key.gone;
            this.fetching = key.fetching;
            this.applied = key.applied;
            this.timerInputs = timerInputs;
            this.ready = real.view().ready();
            this.distrusted = real.view().distrusted();
            this.sessions = real.view().sessions();
            this.transactions = new int[scope.transactions()];
            for (int t = 0; t < transactions.length; t++) {
                TransactionView view = real.find(scope.id(t));
                transactions[t] = view == null ? 0 : 1 + view.state().ordinal();
            }
        }

        /** The streams of agents that the leader holds open. */
        long open() {
            return seen & ~gone;
        }
    }

    /** What one step has done so far. */
    private static final class Work {
        final CoordinatorStateMachine machine;
        final int epoch;
        final Set<TimerKey> timers;
        long seen;
        long gone;
        final Set<GlobalTxId> fetching;
        int applied;
        final List<Integer> sends = new ArrayList<>();
        final List<LogRecord> records = new ArrayList<>();
        int answers;
        LogRecord.@Nullable Horizon purge;

        @Nullable
        String wrong;

        Work(CoordinatorStateMachine machine, int epoch) {
            this.machine = machine;
            this.epoch = epoch;
            timers = new HashSet<>();
            fetching = new HashSet<>();
        }

        Work(CoordinatorStateMachine machine, State state) {
            this.machine = machine;
            epoch = state.epoch;
            timers = new HashSet<>(state.timers);
            fetching = new HashSet<>(state.fetching);
            seen = state.seen;
            gone = state.gone;
            applied = state.applied;
        }
    }

    private final Things<Key> keys = new Things<>();
    private final List<@Nullable State> states = new ArrayList<>();
    private final LongMap moves = new LongMap();
    private final List<Move> made = new ArrayList<>();

    private final Scope scope;
    private final Streams streams;
    private final CoordinatorLimits limits;
    private final Things<Object> things;

    Leaders(Scope scope, Streams streams, Things<Object> things) {
        this.scope = scope;
        this.streams = streams;
        this.things = things;
        limits = Names.limits(scope.window);
        keys.number(new Key(0, ByteBuffer.allocate(0), Set.of(), 0, 0, Set.of(), 0));
        states.add(null);
    }

    State get(int number) {
        State state = states.get(number);
        if (state == null) {
            throw new IllegalArgumentException("this leader is not born");
        }
        return state;
    }

    /** A leader of a new epoch recovers from the log and begins (protocol 3). */
    Move born(int epoch, List<LogEntry> recovered) {
        Work work = new Work(new CoordinatorStateMachine(0, limits), epoch);
        try {
            for (LogEntry entry : recovered) {
                carryOut(work, work.machine.apply(entry));
            }
            carryOut(work, work.machine.step(new Event.LeadershipStarted(Names.epoch(epoch), 0)));
        } catch (ProtocolViolation violation) {
            return Move.wrong(UNBORN, String.valueOf(violation.getMessage()));
        }
        return finish(work);
    }

    /** The leader takes an event of the core, or applies a {@link LogEntry}. */
    Move step(int state, int input) {
        long key = LongMap.pair(state, input);
        int known = moves.get(key);
        if (known >= 0) {
            return made.get(known);
        }
        Move move = compute(state, things.get(input));
        moves.put(key, made.size());
        made.add(move);
        return move;
    }

    private Move compute(int number, Object input) {
        State state = get(number);
        Work work = new Work(CoordinatorStateMachine.decode(state.machine, limits), state);
        try {
            if (input instanceof LogEntry entry) {
                work.applied++;
                carryOut(work, work.machine.apply(entry));
            } else if (input instanceof Event event) {
                if (!prepare(work, event)) {
                    return Move.to(number, Move.NOTHING);
                }
                carryOut(work, work.machine.step(event));
            }
        } catch (ProtocolViolation violation) {
            return Move.wrong(number, String.valueOf(violation.getMessage()));
        }
        return finish(work);
    }

    /** What the engine notes before the core hears of it; false when the core never does. */
    private boolean prepare(Work work, Event event) {
        if (event instanceof Event.TimerFired fired) {
            return work.timers.remove(fired.key());
        } else if (event instanceof Event.CommitFetched fetched) {
            return work.fetching.remove(fetched.tx());
        } else if (event instanceof Event.AgentConnected connected) {
            long bit = streams.bit(Streams.number(connected.stream()));
            boolean first = ((work.seen | work.gone) & bit) == 0;
            work.seen |= bit;
            return first;
        } else if (event instanceof Event.AgentDisconnected disconnected) {
            work.gone |= streams.bit(Streams.number(disconnected.stream()));
        }
        return true;
    }

    private void carryOut(Work work, List<Action> actions) {
        for (Action action : List.copyOf(actions)) {
            if (action instanceof Action.StartTimer timer) {
                work.timers.add(timer.key());
            } else if (action instanceof Action.CancelTimer timer) {
                work.timers.remove(timer.key());
            } else if (action instanceof Action.Append append) {
                work.records.add(append.record());
            } else if (action instanceof Action.FetchCommit fetch) {
                work.fetching.add(fetch.tx());
            } else if (action instanceof Action.Purge purge) {
                work.purge = purge.horizon();
            } else if (action instanceof Action.SendToAgent send) {
                sendToAgent(work, send.stream(), send.message());
            } else if (action instanceof Action.SendToClient send) {
                if (send.message() instanceof ClientMessage.Answer answer) {
                    work.answers |= Answers.bits(scope.indexOf(answer.tx()), answer.outcome());
                }
            } else if (action instanceof Action.CloseStream close) {
                if (!Names.isClientStream(close.stream())) {
                    work.gone |= streams.bit(Streams.number(close.stream()));
                }
            } else if (action instanceof Action.Notify notify) {
                notice(work, notify.notice());
            }
        }
    }

    private static void notice(Work work, Notice notice) {
        if (notice instanceof Notice.HeuristicMixed mixed) {
            work.wrong = "Agreement: a branch was resolved against the decision: " + mixed;
        }
    }

    private void sendToAgent(Work work, StreamId stream, AgentMessage message) {
        int number = Streams.number(stream);
        if ((work.gone & streams.bit(number)) != 0 || message instanceof AgentMessage.InquiryAnswer) {
            // A stream that is over, or what only says: wait.
            return;
        }
        AgentMessage plain = message instanceof AgentMessage.EnlistRefused refused
                ? new AgentMessage.EnlistRefused(refused.tx(), refused.branch(), Reason.of(ErrorCode.INTERNAL))
                : message;
        int of = message instanceof AgentMessage.Welcome ? number : Agents.ANY_STREAM;
        work.sends.add(streams.agent(number));
        work.sends.add(things.number(new Agents.Said(streams.life(number), of, work.epoch, plain)));
    }

    private Move finish(Work work) {
        byte[] bytes = work.machine.encodeFolded();
        Key key = new Key(
                work.epoch, ByteBuffer.wrap(bytes), work.timers, work.seen, work.gone, work.fetching, work.applied);
        int number = keys.number(key);
        if (number == states.size()) {
            List<TimerKey> sorted = new ArrayList<>(work.timers);
            sorted.sort(Comparator.comparing(TimerKey::toString));
            int[] inputs = new int[sorted.size()];
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = things.number(new Event.TimerFired(sorted.get(i)));
            }
            states.add(new State(key, bytes, inputs, work.machine, scope));
        }
        int[] sends = work.sends.stream().mapToInt(Integer::intValue).toArray();
        return new Move(number, sends, work.answers, work.records, work.purge, Move.NOTHING, work.wrong);
    }
}
