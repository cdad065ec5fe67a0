package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.Fate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The agent's half of the protocol: all branches of one agent process, as a pure state machine (protocol 14, agent
 * table). No clock, thread, randomness or I/O: time comes in as {@link AgentEvent.TimerFired}, the databases answer by
 * events, and whatever must happen goes out as {@link AgentAction}. Not thread-safe: one caller at a time.
 *
 * <p>What it rests on:
 *
 * <ul>
 *   <li>One stream at a time. A branch starts only while the stream leads to the ready leader of its epoch (protocol
 *       5.2); when the stream breaks every unprepared branch is rolled back, so a branch never outlives the stream it
 *       was enlisted on.
 *   <li>Each branch is one {@link BranchStateMachine}; this class finds it, decides which calls may join it, and keeps
 *       what is left when it has finished.
 *   <li>Nothing is stored: after a crash unprepared branches are gone with their connections, and prepared ones are
 *       found by the list of prepared xids, which is read on every connect, after every lost database connection and
 *       every 30 s (protocol 9.5).
 * </ul>
 */
public final class AgentStateMachine {

    final AgentLimits limits;
    final long instance;
    final Outbox out = new Outbox();

    final Map<String, ResourceScans> scans = new TreeMap<>();
    final Map<BranchId, BranchStateMachine> branches = new TreeMap<>();
    final NavigableMap<GlobalTxId, BranchCalls> transactions = new TreeMap<>();
    final KeptResults kept = new KeptResults();

    long branchCounter;

    @Nullable
    ClusterId cluster;

    /** The highest epoch ever heard from a coordinator stream, and the highest durable batch number heard in it. */
    @Nullable
    EpochId highestEpoch;

    long highestBatch;

    /** The epoch of the ready leader that the open stream leads to. */
    @Nullable
    EpochId ready;

    /** The peer of the open stream belongs to another cluster: nothing it says counts. */
    boolean peerRefused;

    boolean draining;

    @Nullable
    Reason stopped;

    private final AgentDispatch dispatch = new AgentDispatch(this);

    /**
     * @param instance the random id of the process, part of every branch id
     * @param resources the names of what the agent wraps
     */
    public AgentStateMachine(long instance, Collection<String> resources, AgentLimits limits) {
        this.instance = instance;
        this.limits = limits;
        resources.forEach(resource -> scans.put(resource, new ResourceScans()));
    }

    /**
     * Takes one event and says what is to be done, in this order.
     *
     * @throws io.troth.core.ProtocolViolation when an invariant is broken: stop the process
     */
    public List<AgentAction> step(AgentEvent event) {
        out.connected(ready != null);
        event.accept(dispatch);
        return out.take();
    }

    /** Why this call would be refused if it came now; null when it would be admitted. Changes nothing. */
    public @Nullable Reason refusal(AgentEvent.CallJoins call) {
        return new CallAdmission(this).refusal(call);
    }

    /** Where the branch stands; FINISHED also when it was never heard of. */
    public BranchState stateOf(BranchId branch) {
        BranchStateMachine machine = branches.get(branch);
        return machine == null ? BranchState.FINISHED : machine.state();
    }

    /** How many branches could still vote or commit, or are being rolled back. */
    public int unprepared() {
        int count = 0;
        for (BranchStateMachine machine : branches.values()) {
            count += machine.isUnprepared() ? 1 : 0;
        }
        return count;
    }

    /** How many branches have not finished, prepared ones included. */
    public int unfinished() {
        return branches.size();
    }

    /** How many results of finished branches are kept, with the place that each unfinished one has among them. */
    public int keptResults() {
        return branches.size() + kept.size();
    }

    /** The highest epoch heard from a coordinator stream, null when none. */
    public @Nullable EpochId highestEpoch() {
        return highestEpoch;
    }

    /** The highest durable batch number heard in {@link #highestEpoch()}. */
    public long highestBatch() {
        return highestBatch;
    }

    /** The epoch of the ready leader at the other end of the stream, null when there is none. */
    public @Nullable EpochId ready() {
        return ready;
    }

    /** The cluster, null until a coordinator has named it. */
    public @Nullable ClusterId cluster() {
        return cluster;
    }

    void heard(EpochId epoch, long durableBatch) {
        if (peerRefused) {
            return;
        }
        if (highestEpoch == null || epoch.number() > highestEpoch.number()) {
            highestEpoch = epoch;
            highestBatch = durableBatch;
            if (ready != null && !ready.equals(epoch)) {
                notReady(new Reason(ErrorCode.LEADER_CHANGED, "the coordinator leads epoch " + epoch + " now"));
            }
        } else if (epoch.equals(highestEpoch)) {
            highestBatch = Math.max(highestBatch, durableBatch);
        }
    }

    void clusterHeard(ClusterId heard) {
        if (cluster == null) {
            cluster = heard;
            out.add(new AgentAction.UseCluster(heard));
            out.add(new AgentAction.StartTimer(new AgentTimerKey.KeptSweep(), limits.keptSweepMillis()));
            scans.keySet().forEach(this::scan);
        } else if (!cluster.equals(heard)) {
            peerRefused = true;
            refusePeer(
                    new Reason(ErrorCode.WRONG_CLUSTER, "the coordinator is of cluster " + heard + ", not " + cluster));
        }
    }

    void welcomed(EpochId epoch) {
        if (peerRefused || cluster == null) {
            return;
        }
        heard(epoch, 0);
        if (!epoch.equals(highestEpoch)) {
            // An older leader, or an epoch number that came back with another nonce: the log was lost (protocol 2).
            refusePeer(new Reason(
                    ErrorCode.LOG_DISTRUSTED, "the coordinator leads epoch " + epoch + " after " + highestEpoch));
            return;
        }
        ready = epoch;
        out.tell(new AgentNotice.Ready(epoch));
        scans.keySet().forEach(this::scan);
    }

    private void refusePeer(Reason reason) {
        out.alarm(reason, null);
        out.add(new AgentAction.CloseStream(reason));
    }

    void streamBroken(Reason reason) {
        peerRefused = false;
        notReady(reason);
    }

    private void notReady(Reason reason) {
        if (ready != null) {
            ready = null;
            out.tell(new AgentNotice.NotReady(reason, unprepared()));
        }
        for (BranchCalls calls : List.copyOf(transactions.values())) {
            giveUp(calls, reason);
        }
    }

    /** The transactions of one client session, without a walk over all: sessions close often. */
    List<BranchCalls> ofSession(EpochId epoch, long session) {
        List<BranchCalls> found = new ArrayList<>();
        GlobalTxId from = new GlobalTxId(0, epoch, session, 1);
        for (GlobalTxId tx = transactions.ceilingKey(from); tx != null; tx = transactions.ceilingKey(from)) {
            if (tx.epoch().equals(epoch) && tx.session() == session) {
                found.addAll(transactions
                        .subMap(tx, true, new GlobalTxId(tx.shard(), epoch, session, Long.MAX_VALUE), true)
                        .values());
            }
            GlobalTxId inShard = new GlobalTxId(tx.shard(), epoch, session, 1);
            boolean passed = inShard.compareTo(tx) <= 0;
            if (passed && tx.shard() == Integer.MAX_VALUE) {
                break;
            }
            from = passed ? new GlobalTxId(tx.shard() + 1, epoch, session, 1) : inShard;
        }
        return found;
    }

    /** Rolls back T's unprepared branches and lets no call join any more. */
    void giveUp(BranchCalls calls, Reason reason) {
        calls.close();
        for (BranchId id : calls.live()) {
            BranchStateMachine machine = branches.get(id);
            if (machine != null) {
                machine.rollBack(reason, out);
            }
        }
        forgetIfOver(calls);
    }

    /** Starts reading the list of prepared xids, or notes that it is to be read again. */
    void scan(String resource) {
        ResourceScans state = scans.get(resource);
        if (state != null && cluster != null && state.want()) {
            out.add(new AgentAction.ListPrepared(resource));
        }
    }

    void scanCompleted(String resource, ScanCompletion completion) {
        ResourceScans state = scans.get(resource);
        if (state == null || !state.isRunning()) {
            return;
        }
        long number = state.started();
        if (state.ended()) {
            scan(resource);
        }
        // What only a list can find holds its locks until then: one that failed is not waited for so long.
        long next = completion.failure() == null
                ? limits.scanIntervalMillis()
                : Math.min(limits.phaseTwoRetryMaxMillis(), limits.scanIntervalMillis());
        out.add(new AgentAction.StartTimer(new AgentTimerKey.Scan(resource), next));
        if (completion.failure() != null) {
            out.tell(new AgentNotice.ScanFailed(resource, completion.failure()));
            return;
        }
        out.tell(new AgentNotice.Scanned(resource, completion.prepared(), completion.otherClusters()));
        inquire(resource, number, completion.prepared());
        GlobalTxId lowest = null;
        for (PreparedXid xid : completion.prepared()) {
            lowest = lowest == null || isBefore(xid.tx(), lowest) ? xid.tx() : lowest;
        }
        out.send(new CoordinatorMessage.ScanReport(
                resource, lowest == null ? null : lowest.epoch(), lowest == null ? 0 : lowest.session()));
    }

    private static boolean isBefore(GlobalTxId left, GlobalTxId right) {
        int byEpoch = left.epoch().compareTo(right.epoch());
        return byEpoch < 0 || (byEpoch == 0 && left.session() < right.session());
    }

    /** Asks for the outcome of everything prepared that nobody here is working on (protocol 9.5). */
    private void inquire(String resource, long number, List<PreparedXid> prepared) {
        Map<BranchId, PreparedXid> listed = new TreeMap<>();
        prepared.forEach(xid -> listed.put(xid.branch(), xid));
        for (BranchStateMachine machine : List.copyOf(branches.values())) {
            if (machine.resource().equals(resource)) {
                PreparedXid own = listed.remove(machine.branch());
                if (own == null) {
                    machine.notListed(number, out);
                }
                // A PREPARED branch that is not listed was resolved by hand: the decision will find out.
                if (machine.wantsOutcome(number)) {
                    out.send(new CoordinatorMessage.BranchInquiry(machine.tx(), machine.branch(), resource));
                }
                settle(machine);
            }
        }
        for (PreparedXid xid : listed.values()) {
            // Two names may lead to one database: what is worked on under the other one is not asked for under this.
            if (!branches.containsKey(xid.branch())) {
                out.send(new CoordinatorMessage.BranchInquiry(xid.tx(), xid.branch(), resource));
            }
        }
    }

    /** Takes a finished branch out and keeps what may be asked for later. */
    void settle(BranchStateMachine machine) {
        if (machine.state() != BranchState.FINISHED || branches.remove(machine.branch()) == null) {
            return;
        }
        if (machine.fate() != null) {
            kept.keep(machine.tx(), machine.branch(), machine.fate(), machine.death(), machine.proof());
        }
        BranchCalls calls = transactions.get(machine.tx());
        if (calls != null) {
            calls.finished(machine.branch());
            forgetIfOver(calls);
        }
    }

    /** No call may join T any more. */
    void close(GlobalTxId tx) {
        BranchCalls calls = transactions.get(tx);
        if (calls != null) {
            calls.close();
            forgetIfOver(calls);
        }
    }

    /** Forgets T when no call can join it any more and none of its branches is left. */
    void forgetIfOver(BranchCalls calls) {
        if (calls.isClosed() && !calls.hasLive() && transactions.remove(calls.tx(), calls)) {
            out.add(new AgentAction.CancelTimer(new AgentTimerKey.Deadline(calls.tx())));
        }
    }

    long scansStarted(String resource) {
        ResourceScans state = scans.get(resource);
        return state == null ? 0 : state.started();
    }

    void askFate(String resource, GlobalTxId tx, BranchId branch, Proof proof) {
        if (scans.containsKey(resource)) {
            out.add(new AgentAction.AskDatabase(resource, tx, branch, proof));
        } else {
            out.send(new CoordinatorMessage.FateReport(tx, branch, Fate.UNKNOWN));
        }
    }

    void keptSwept() {
        kept.sweep(limits.keptSweeps());
        out.add(new AgentAction.StartTimer(new AgentTimerKey.KeptSweep(), limits.keptSweepMillis()));
    }

    void stop(Reason reason) {
        draining = true;
        stopped = reason;
        for (BranchCalls calls : new ArrayList<>(transactions.values())) {
            giveUp(calls, reason);
        }
    }

    /** The whole state as canonical bytes: equal states give equal bytes. */
    public byte[] encode() {
        return AgentStateCodec.encode(this, false);
    }

    /**
     * The state without what no later step depends on: equal also for states that differ in the words of a reason, in how
     * many lists of prepared xids were read, or in how long a result was kept before. {@link #decode} reads it. For
     * exhaustive exploration.
     */
    public byte[] encodeFolded() {
        return AgentStateCodec.encode(this, true);
    }

    /**
     * Reads what {@link #encode()} and {@link #encodeFolded()} write.
     *
     * @throws IllegalArgumentException when the bytes are anything else
     */
    public static AgentStateMachine decode(byte[] bytes, AgentLimits limits) {
        return AgentStateCodec.decode(bytes, limits);
    }
}
