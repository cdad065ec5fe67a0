package io.troth.core.coordinator;

import io.troth.core.GlobalTxId;
import io.troth.core.Invariant;
import io.troth.core.ProtocolViolation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The coordinator's half of two-phase commit with presumed abort (Mohan, Lindsay and Obermarck, 1986), for one shard:
 * the same state and the same input give the same output, always.
 *
 * <h2>How it is driven</h2>
 *
 * <ol>
 *   <li>Recovery: a new machine is given every EPOCH, DISTRUST, HORIZON, HEURISTIC and unended COMMIT entry of the log
 *       through {@link #apply}. It says nothing to anyone.
 *   <li>{@link Event.LeadershipStarted}: it appends its own EPOCH. When that is applied it is <i>ready</i>: it welcomes
 *       the agents and drives phase 2 of every unended COMMIT. Before, it opens no session and answers nothing.
 *   <li>From then on {@link #step} takes what happens, and {@link #apply} what the log made of the appended records, in
 *       order. Forcing is a conversation: a COMMIT goes out as {@link Action.Append}, and nothing that depends on it
 *       leaves before the same record comes in through {@code apply}.
 *   <li>{@link Event.LeadershipLost}: whoever waits hears NOT_LEADER, and nothing is said ever after. Whether a record
 *       that was handed to the log is durable, only the next epoch tells (protocol L4).
 * </ol>
 *
 * <h2>One transaction</h2>
 *
 * {@link TransactionState} names the states and their exits. ACTIVE and PREPARING may be rolled back at any time,
 * because no record says otherwise. COMMITTING is the point of no return for <i>answers</i>: COMMIT is handed to the
 * log, and from here to its application nobody hears anything but PENDING. COMMITTED is the point of no return for the
 * <i>transaction</i>. ONE_PHASE is nobody's to presume: only the agent's instance or its database can tell.
 *
 * <h2>Crash points</h2>
 *
 * <ul>
 *   <li>Before COMMIT is handed over, or handed and not durable: the next leader finds no record, and every agent that
 *       holds a prepared branch asks and hears rollback.
 *   <li>COMMIT durable, nothing sent: the next leader finds it without END and drives phase 2.
 *   <li>Phase 2 half done, or END not durable: phase 2 is driven again; it can be repeated.
 *   <li>One-phase told and not answered: the client's repeated Commit makes the next leader ask the instance.
 * </ul>
 *
 * <p>The parts: {@code Sessions} (protocol 4), {@code Transactions} (6, 7, 14), {@code OnePhase} (8), {@code
 * OutcomeTable} (9.1), {@code PhaseTwo} (9.2, 9.3), {@code Horizons} (9.4), {@code Agents} (5.2, 10.5), {@code
 * Operators} (10.6), {@code LogReplay} (3). They share the tables of {@code Leader} and have no state of their own.
 *
 * <p>One thread at a time. After a {@link ProtocolViolation} the machine must not be used again.
 */
public final class CoordinatorStateMachine {

    private final Leader leader;
    private final Answers answers;
    private final Sessions sessions;
    private final Transactions transactions;
    private final OnePhase onePhase;
    private final OutcomeTable outcomes;
    private final PhaseTwo phaseTwo;
    private final Horizons horizons;
    private final Agents agents;
    private final Operators operators;
    private final LogReplay replay;
    private final Event.Visitor<Void> events = new Events();
    private final TimerKey.Visitor<Void> timers = new Timers();

    /** A machine that has seen nothing. */
    public CoordinatorStateMachine(int shard, CoordinatorLimits limits) {
        this(new Leader(shard, limits));
    }

    CoordinatorStateMachine(Leader leader) {
        this.leader = leader;
        answers = new Answers(leader);
        horizons = new Horizons(leader);
        Endings endings = new Endings(leader, answers, horizons);
        phaseTwo = new PhaseTwo(leader, answers, endings);
        onePhase = new OnePhase(leader, answers, endings);
        outcomes = new OutcomeTable(leader, answers, endings, phaseTwo, onePhase);
        transactions = new Transactions(leader, answers, endings, phaseTwo, onePhase, outcomes);
        sessions = new Sessions(leader, answers, endings);
        agents = new Agents(leader, answers, transactions, phaseTwo, onePhase, horizons);
        operators = new Operators(leader, answers, phaseTwo, outcomes);
        replay = new LogReplay(leader, transactions, endings, agents, horizons, operators);
    }

    /**
     * Takes one event.
     *
     * @return what is to be done, in this order
     * @throws ProtocolViolation when an invariant does not hold: the process must stop
     */
    public List<Action> step(Event event) {
        if (leader.phase == Leader.Phase.LOST) {
            return List.of();
        }
        event.accept(events);
        return leader.out.drain();
    }

    /**
     * Takes one applied log entry: in recovery, and later each entry that this leader appended, once it is applied.
     *
     * @return what is to be done, in this order; in recovery only notices
     * @throws ProtocolViolation when an invariant does not hold: the process must stop
     */
    public List<Action> apply(LogEntry entry) {
        if (leader.phase == Leader.Phase.LOST || leader.phase == Leader.Phase.DISTRUSTED) {
            return List.of();
        }
        replay.apply(entry);
        return leader.out.drain();
    }

    /** The whole state as canonical bytes: equal states give equal bytes. */
    public byte[] encode() {
        return new StateEncoder(leader, false).encode();
    }

    /**
     * The state without what no later step depends on: equal also for states that differ in the words of a reason or in
     * how often phase 2 was tried. {@link #decode} reads it. For exhaustive exploration.
     */
    public byte[] encodeFolded() {
        return new StateEncoder(leader, true).encode();
    }

    /**
     * The machine whose {@link #encode} or {@link #encodeFolded} gave these bytes.
     *
     * @throws IllegalArgumentException when they are anything else
     */
    public static CoordinatorStateMachine decode(byte[] bytes, CoordinatorLimits limits) {
        return new CoordinatorStateMachine(new StateDecoder(bytes, limits).decode());
    }

    /** How many results of ended transactions are kept, of all client sessions (protocol 4.2). */
    public int keptResults() {
        return leader.keptResults;
    }

    /** With so many kept results no new transaction starts. */
    public long keptResultsMax() {
        return leader.limits.keptResultsMax();
    }

    /** The leader in numbers. Constant time. */
    public LeaderView view() {
        return new Views(leader).leader();
    }

    /** Unended COMMITs of older leaders, then the open transactions, in the order of their ids; at most {@code limit}. */
    public List<TransactionView> transactions(int limit) {
        return new Views(leader).transactions(limit);
    }

    /** What is in memory of T; null when that is nothing, which says nothing about its outcome. */
    public @Nullable TransactionView find(GlobalTxId tx) {
        return new Views(leader).find(tx);
    }

    /** Prepared branches on their way through phase 2, then those that were left alone; at most {@code limit}. */
    public List<InDoubtView> inDoubt(int limit) {
        return new Views(leader).inDoubt(limit);
    }

    /** What the connected agents said of themselves, in the order in which they came; at most {@code limit}. */
    public List<AgentHello> agents(int limit) {
        return new Views(leader).agents(limit);
    }

    /** Whether an agent has ever offered a resource of this name to this leader. */
    public boolean knows(String resource) {
        return leader.agents.known.contains(resource);
    }

    /** One method an event: all but a few are left alone while nothing is answered. */
    @SuppressWarnings("NullAway") // A visitor of Void has nothing else to return.
    private final class Events implements Event.Visitor<Void> {

        @Override
        public Void leadershipStarted(Event.LeadershipStarted event) {
            Invariants.check(
                    Invariant.I8_EPOCHS_GROW,
                    leader.phase == Leader.Phase.RECOVERING && event.epoch().number() > leader.epochs.highest(),
                    event.epoch(),
                    "leadership of an epoch that is not new");
            leader.phase = Leader.Phase.STARTING;
            leader.own = event.epoch();
            leader.recoveredBatch = event.recoveredBatch();
            leader.out.append(new LogRecord.Epoch(event.epoch()), true);
            return null;
        }

        @Override
        public Void leadershipLost(Event.LeadershipLost event) {
            answers.releaseAll();
            leader.phase = Leader.Phase.LOST;
            return null;
        }

        @Override
        public Void acceptingChanged(Event.AcceptingChanged event) {
            sessions.acceptingChanged(event);
            return null;
        }

        @Override
        public Void commitFetched(Event.CommitFetched event) {
            if (leader.isReady()) {
                outcomes.fetched(event);
            }
            return null;
        }

        @Override
        public Void agentConnected(Event.AgentConnected event) {
            agents.connected(event);
            return null;
        }

        @Override
        public Void agentDisconnected(Event.AgentDisconnected event) {
            agents.disconnected(event.stream());
            return null;
        }

        @Override
        public Void enlist(Event.Enlist event) {
            if (leader.isReady()) {
                transactions.enlist(event);
            } else {
                answers.refuseEnlist(event, leader.notReady().code(), "");
            }
            return null;
        }

        @Override
        public Void voteReceived(Event.VoteReceived event) {
            if (leader.isReady()) {
                transactions.vote(event);
            }
            return null;
        }

        @Override
        public Void onePhaseProof(Event.OnePhaseProof event) {
            if (leader.isReady()) {
                onePhase.proof(event);
            }
            return null;
        }

        @Override
        public Void onePhaseResult(Event.OnePhaseResult event) {
            if (leader.isReady()) {
                onePhase.result(event);
            }
            return null;
        }

        @Override
        public Void branchDone(Event.BranchDone event) {
            if (leader.isReady()) {
                phaseTwo.done(event);
            }
            return null;
        }

        @Override
        public Void branchInquiry(Event.BranchInquiry event) {
            AgentStream stream = leader.agents.find(event.stream());
            if (leader.isReady() && stream != null && stream.offers(event.resource())) {
                outcomes.askedByAgent(stream, event.tx(), event.branch(), event.resource());
            }
            return null;
        }

        @Override
        public Void fateReported(Event.FateReported event) {
            if (leader.isReady()) {
                onePhase.fateReported(event);
            }
            return null;
        }

        @Override
        public Void scanReported(Event.ScanReported event) {
            if (leader.isReady()) {
                horizons.scanned(event);
            }
            return null;
        }

        @Override
        public Void clientDisconnected(Event.ClientDisconnected event) {
            sessions.disconnected(event.stream());
            return null;
        }

        @Override
        public Void openSession(Event.OpenSession event) {
            if (answersTo(event.request())) {
                sessions.open(event);
            }
            return null;
        }

        @Override
        public Void resumeSession(Event.ResumeSession event) {
            if (answersTo(event.request())) {
                sessions.resume(event);
            }
            return null;
        }

        @Override
        public Void closeSession(Event.CloseSession event) {
            if (leader.isReady()) {
                sessions.close(event);
            }
            return null;
        }

        @Override
        public Void progress(Event.Progress event) {
            if (leader.isReady()) {
                sessions.progress(event.epoch(), event.session(), event.key(), event.lowestOpen());
            }
            return null;
        }

        @Override
        public Void commitRequested(Event.CommitRequested event) {
            if (answersTo(event.request())) {
                // What the message says about T itself comes first, so it can not end T by its own lowestOpen.
                long lowestOpen = Math.min(event.lowestOpen(), event.tx().sequence());
                sessions.progress(event.tx().epoch(), event.tx().session(), event.key(), lowestOpen);
                transactions.commit(event);
            }
            return null;
        }

        @Override
        public Void rollbackRequested(Event.RollbackRequested event) {
            if (answersTo(event.request())) {
                long lowestOpen = Math.min(event.lowestOpen(), event.tx().sequence());
                sessions.progress(event.tx().epoch(), event.tx().session(), event.key(), lowestOpen);
                transactions.rollback(event);
            }
            return null;
        }

        @Override
        public Void outcomeInquiry(Event.OutcomeInquiry event) {
            if (answersTo(event.request())) {
                outcomes.askedByClient(event.request(), event.tx(), event.content());
            }
            return null;
        }

        @Override
        public Void operatorForces(Event.OperatorForces event) {
            if (answersTo(event.request())) {
                operators.forces(event);
            }
            return null;
        }

        @Override
        public Void resourceExcluded(Event.ResourceExcluded event) {
            agents.excluded(event);
            return null;
        }

        @Override
        public Void resourceHeld(Event.ResourceHeld event) {
            agents.held(event);
            return null;
        }

        @Override
        public Void timerFired(Event.TimerFired event) {
            if (leader.isReady()) {
                event.key().accept(timers);
            }
            return null;
        }

        private boolean answersTo(RequestId request) {
            if (!leader.isReady()) {
                answers.refuse(request, leader.notReady());
            }
            return leader.isReady();
        }
    }

    /** One method a timer. */
    @SuppressWarnings("NullAway") // A visitor of Void has nothing else to return.
    private final class Timers implements TimerKey.Visitor<Void> {

        @Override
        public Void deadline(TimerKey.Deadline key) {
            transactions.deadlineFired(key.tx());
            return null;
        }

        @Override
        public Void completionLimit(TimerKey.CompletionLimit key) {
            phaseTwo.completionLimit(key.tx());
            return null;
        }

        @Override
        public Void phaseTwoRetry(TimerKey.PhaseTwoRetry key) {
            phaseTwo.retryFired(key.tx());
            return null;
        }

        @Override
        public Void instanceGone(TimerKey.InstanceGone key) {
            onePhase.instanceGoneFired(key.tx());
            return null;
        }

        @Override
        public Void fateRetry(TimerKey.FateRetry key) {
            onePhase.fateRetryFired(key.tx());
            return null;
        }

        @Override
        public Void sessionGrace(TimerKey.SessionGrace key) {
            sessions.graceFired(key.session());
            return null;
        }

        @Override
        public Void sessionAge(TimerKey.SessionAge key) {
            sessions.ageFired(key.session());
            return null;
        }

        @Override
        public Void retention(TimerKey.Retention key) {
            horizons.retentionFired(key);
            return null;
        }
    }
}
