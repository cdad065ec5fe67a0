package io.troth.chaos.sim.database;

import io.troth.chaos.sim.check.BranchFacts;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One database server: rows under strict two-phase locking, sessions, prepared transactions, and everything that befalls
 * them. PREPARED and COMMITTED survive a crash, ACTIVE does not. What its clients make of that is not its concern.
 *
 * <p>All methods run on the world's thread. Those in the section "faults" are for the world to call.
 */
public final class SimulatedServer {

    private static final long RESTART_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(600);

    final String name;
    final Flavour flavour;
    final ServerSettings settings;
    final Surroundings world;

    private final TreeMap<String, List<Long>> rows = new TreeMap<>();
    private final LockTable locks = new LockTable();
    private final TreeMap<Long, ServerSession> sessions = new TreeMap<>();
    private final List<ServerTransaction> history = new ArrayList<>();
    private final TreeMap<String, ServerTransaction> prepared = new TreeMap<>();
    private final TransactionIds ids;
    private Observer observer = Observer.NOBODY;
    private @Nullable DatabaseFault provoked;
    private boolean up = true;
    private long nextSession = 1;
    private long nextSerial = 1;
    private long lastStartMicros;
    private long stops;

    /**
     * A server that is up and empty.
     *
     * @param name unique in the world, the database's name in checks
     */
    public SimulatedServer(String name, Flavour flavour, ServerSettings settings, Surroundings world) {
        this.name = name;
        this.flavour = flavour;
        this.settings = settings;
        this.world = world;
        this.ids = new TransactionIds(world.random().nextLong(), world.nowNanos());
    }

    // What checkers and the world see.

    /** The name in checks. */
    public String name() {
        return name;
    }

    public Flavour flavour() {
        return flavour;
    }

    public boolean isUp() {
        return up;
    }

    /** Hears from now on what becomes of every branch. */
    public void observer(Observer hears) {
        observer = hears;
    }

    /** The last committed state of every row. */
    public Map<String, List<Long>> committedRows() {
        return new TreeMap<>(rows);
    }

    /** What is known of every branch that ever did something here, in the order in which they began. */
    public List<BranchFacts> branches() {
        List<BranchFacts> facts = new ArrayList<>();
        for (ServerTransaction each : history) {
            BranchFacts known = each.facts(name);
            if (known != null) {
                facts.add(known);
            }
        }
        return facts;
    }

    /** Prepared transactions of strangers that are still here. */
    public int strangers() {
        return (int) prepared.values().stream().filter(each -> each.strangers).count();
    }

    // Faults.

    /** Makes this fault happen once, at the next occasion for it. */
    public void provoke(DatabaseFault fault) {
        provoked = fault;
    }

    /** At an occasion for this fault: whether it happens now. Counts it. */
    boolean strikes(DatabaseFault fault) {
        boolean now = provoked == fault;
        provoked = now ? null : provoked;
        boolean happens = now || world.strikes(fault);
        if (happens) {
            happened(fault);
        }
        return happens;
    }

    /** The server dies, as by a kill of its processes, and is back after this time. */
    public void crash(long downNanos) {
        happened(DatabaseFault.SERVER_CRASH);
        stop();
        long crash = stops;
        world.schedule(downNanos, () -> up |= crash == stops);
    }

    /** The same, with the time that a restart usually takes. */
    public void crash() {
        crash(1 + world.random().nextLong(RESTART_NANOS_MAX));
    }

    private void stop() {
        stops++;
        up = false;
        for (ServerSession session : List.copyOf(sessions.values())) {
            forget(session);
        }
        locks.clear();
        for (ServerTransaction each : history) {
            if (each.state == ServerTransaction.State.ACTIVE) {
                ended(each, ServerTransaction.State.ROLLED_BACK, BranchFacts.Ending.DATABASE);
            }
        }
        if (ids.crash(history, world)) {
            happened(DatabaseFault.TRANSACTION_ID_GIVEN_TWICE);
        }
        prepared.values().forEach(each -> {
            each.owner = null;
            locks.restore(each);
        });
    }

    private void forget(ServerSession session) {
        session.open = false;
        ServerSession.Waiting waiting = session.waiting;
        session.waiting = null;
        session.transaction = null;
        sessions.remove(session.id);
        if (waiting != null) {
            waiting.fails(new ServerError("57P01", "terminating connection"));
        }
        session.ended.run();
    }

    /** Ends one session, as by an administrator's command. False when there is none. */
    public boolean killSession() {
        if (sessions.isEmpty()) {
            return false;
        }
        happened(DatabaseFault.SESSION_KILLED);
        List<ServerSession> all = List.copyOf(sessions.values());
        end(all.get(world.random().nextInt(all.size())));
        return true;
    }

    /** Somebody resolves a prepared branch at the database's own console. False when there is none. */
    public boolean resolveByHand(boolean commit) {
        List<ServerTransaction> branches =
                prepared.values().stream().filter(each -> each.tx != null).toList();
        if (branches.isEmpty()) {
            return false;
        }
        ServerTransaction one = branches.get(world.random().nextInt(branches.size()));
        if (one.owner != null) {
            // Where a branch is its session's, that session must be ended first.
            end(one.owner);
        }
        happened(commit ? DatabaseFault.RESOLVED_BY_HAND_COMMIT : DatabaseFault.RESOLVED_BY_HAND_ROLLBACK);
        finishPrepared(one, commit, BranchFacts.Ending.BY_HAND);
        return true;
    }

    /** Strangers prepare transactions of their own: another format, another cluster, no form at all. */
    public void addStrangers(List<String> xids) {
        for (String xid : xids) {
            if (prepared.containsKey(xid)) {
                continue;
            }
            ServerTransaction stranger = create();
            stranger.id = ids.next();
            stranger.state = ServerTransaction.State.PREPARED;
            stranger.xid = xid;
            stranger.strangers = true;
            prepared.put(xid, stranger);
        }
    }

    /** Strangers end what they have prepared, as they do sooner or later. */
    public void strangersLeave() {
        for (ServerTransaction each : List.copyOf(prepared.values())) {
            if (each.strangers) {
                prepared.remove(String.valueOf(each.xid));
                rollback(each, BranchFacts.Ending.BY_HAND);
            }
        }
    }

    /** Strangers fill every slot for prepared transactions; they leave after this time. */
    public void fillSlots(long nanos) {
        List<String> filled = new ArrayList<>();
        while (prepared.size() < settings.slots()) {
            String xid = "filler " + nextSerial;
            filled.add(xid);
            addStrangers(List.of(xid));
        }
        world.schedule(
                nanos,
                () -> filled.forEach(xid -> {
                    ServerTransaction filler = prepared.remove(xid);
                    if (filler != null) {
                        rollback(filler, BranchFacts.Ending.BY_HAND);
                    }
                }));
    }

    /** What would come back if the server were restored to this moment. */
    public Backup backup() {
        return new Backup(rows, history, ids.copy());
    }

    /**
     * The server is stopped and comes back with what a backup holds. On the same timeline it gives ids again to strangers.
     *
     * @param recovered whether it was recovered to a point in time, which begins another timeline on PostgreSQL. Always taken
     *     for true when the copy has an earlier timeline than the server: an agent that ran on would use it no more
     */
    public void restore(Backup backup, boolean recovered) {
        boolean newTimeline = recovered || backup.ids().timeline < ids.timeline;
        stop();
        prepared.clear();
        locks.clear();
        rows.clear();
        rows.putAll(backup.rows());
        boolean lostCommit = false;
        boolean lostPrepare = false;
        for (ServerTransaction each : history) {
            Backup.Saved saved = backup.transactions().get(each.serial);
            ServerTransaction.State then = saved == null ? ServerTransaction.State.ACTIVE : saved.state();
            lostCommit |= each.state == ServerTransaction.State.COMMITTED && then == ServerTransaction.State.PREPARED;
            lostPrepare |= each.state != ServerTransaction.State.ROLLED_BACK && then == ServerTransaction.State.ACTIVE;
            each.touchedByRestore |= !newTimeline && then == ServerTransaction.State.ACTIVE;
            bringBack(each, then);
        }
        ids.restore(backup.ids(), newTimeline, world.nowNanos());
        if (lostCommit) {
            happened(DatabaseFault.RESTORED_TO_BEFORE_COMMIT);
        }
        if (lostPrepare) {
            happened(DatabaseFault.RESTORED_TO_BEFORE_PREPARE);
        }
        if (newTimeline) {
            happened(DatabaseFault.RESTORED_ON_A_NEW_TIMELINE);
        }
        up = true;
    }

    private void bringBack(ServerTransaction each, ServerTransaction.State then) {
        if (then == ServerTransaction.State.PREPARED) {
            boolean changes = each.state != then;
            each.touchedByRestore |= changes;
            each.state = then;
            each.ending = BranchFacts.Ending.NONE;
            each.endedNanos = -1;
            each.owner = null;
            prepared.put(String.valueOf(each.xid), each);
            locks.restore(each);
            if (changes) {
                moved(each);
            }
        } else if (then == ServerTransaction.State.ACTIVE && each.state != ServerTransaction.State.ROLLED_BACK) {
            each.touchedByRestore = true;
            each.state = ServerTransaction.State.ACTIVE;
            ended(each, ServerTransaction.State.ROLLED_BACK, BranchFacts.Ending.DATABASE);
        } else if (then != ServerTransaction.State.ACTIVE && each.state != then) {
            // It had been prepared again by an earlier restore.
            each.touchedByRestore = true;
            each.state = ServerTransaction.State.ACTIVE;
            ended(each, then, BranchFacts.Ending.DATABASE);
        }
    }

    // Sessions.

    ServerSession connect() throws SQLException {
        if (!up) {
            throw new SQLException("the database system is starting up", "57P03");
        }
        ServerSession session = new ServerSession(nextSession++);
        sessions.put(session.id, session);
        return session;
    }

    /** The session is over, and what is unprepared in it with it. */
    void end(ServerSession session) {
        if (!session.open) {
            return;
        }
        ServerTransaction transaction = session.transaction;
        forget(session);
        if (transaction == null) {
            return;
        }
        locks.leaveQueues(transaction);
        if (transaction.state == ServerTransaction.State.ACTIVE) {
            rollback(transaction, BranchFacts.Ending.DATABASE);
        } else if (transaction.state == ServerTransaction.State.PREPARED && transaction.owner == session) {
            transaction.owner = null;
            leave(transaction);
        }
    }

    /** A prepared transaction has lost the session that it was tied to. */
    private void leave(ServerTransaction orphan) {
        switch (flavour.prepared()) {
            case FREE, TIED -> {
                if (orphan.writes.isEmpty()) {
                    // Still listed; whoever commits it hears that it was rolled back.
                    orphan.failed = true;
                    locks.release(orphan);
                }
            }
            case ROLLED_BACK_AT_CLOSE -> finishPrepared(orphan, false, BranchFacts.Ending.DATABASE);
            case LOST_AT_CLOSE -> {
                orphan.writes.clear();
                locks.release(orphan);
            }
        }
    }

    /** Removes a row outside any branch. Returns false when it is not there. */
    boolean delete(String key) {
        return rows.remove(key) != null;
    }

    // Transactions.

    /** Begins a transaction in a session that has none. */
    ServerTransaction begin(ServerSession session) {
        ServerTransaction transaction = create();
        session.transaction = transaction;
        session.marker = null;
        lastStartMicros = Math.max(lastStartMicros + 1, TimeUnit.NANOSECONDS.toMicros(world.nowNanos()));
        session.startMicros = lastStartMicros;
        return transaction;
    }

    private ServerTransaction create() {
        ServerTransaction transaction = new ServerTransaction(nextSerial++, world.nowNanos());
        history.add(transaction);
        return transaction;
    }

    /** The row as the transaction sees it. */
    List<Long> rowFor(ServerTransaction transaction, String key) {
        return transaction.writes.getOrDefault(key, rows.getOrDefault(key, List.of()));
    }

    /** Ends the statement that waits in the session, if there is one. */
    void cancel(ServerSession session) {
        ServerSession.Waiting waiting = session.waiting;
        if (waiting != null) {
            waiting.fails(new ServerError(ServerError.CANCELLED, "canceling statement due to user request"));
        }
    }

    LockTable locks() {
        return locks;
    }

    void commit(ServerTransaction transaction, BranchFacts.Ending by) {
        rows.putAll(transaction.writes);
        ended(transaction, ServerTransaction.State.COMMITTED, by);
        locks.release(transaction);
    }

    void rollback(ServerTransaction transaction, BranchFacts.Ending by) {
        ended(transaction, ServerTransaction.State.ROLLED_BACK, by);
        locks.release(transaction);
    }

    private void ended(ServerTransaction transaction, ServerTransaction.State how, BranchFacts.Ending by) {
        boolean wasOver = transaction.isOver();
        if (!wasOver) {
            transaction.ending = by;
            transaction.endedNanos = world.nowNanos();
        }
        transaction.state = how;
        if (!wasOver) {
            moved(transaction);
        }
    }

    /** A transaction is known to be a branch now. */
    void isBranch(ServerTransaction transaction, GlobalTxId tx, BranchId branch) {
        boolean known = transaction.branch != null;
        transaction.isBranch(tx, branch);
        if (!known) {
            moved(transaction);
        }
    }

    void executed(ServerTransaction transaction, SqlOperation operation) {
        GlobalTxId tx = transaction.tx;
        BranchId branch = transaction.branch;
        if (tx != null && branch != null) {
            observer.executed(tx, branch, operation.call(), operation.scope());
        }
    }

    private void moved(ServerTransaction transaction) {
        BranchFacts facts = transaction.facts(name);
        if (facts != null) {
            observer.moved(facts);
        }
    }

    // Prepared transactions.

    /** Makes a transaction durable under a name that nobody has. */
    void prepare(ServerTransaction transaction, String xid, @Nullable ServerSession owner) {
        transaction.state = ServerTransaction.State.PREPARED;
        transaction.preparedNanos = world.nowNanos();
        transaction.xid = xid;
        transaction.owner = owner;
        prepared.put(xid, transaction);
        moved(transaction);
    }

    @Nullable
    ServerTransaction preparedAs(String xid) {
        return prepared.get(xid);
    }

    /** The names of all that is prepared, in a fixed order. */
    List<String> preparedXids() {
        return List.copyOf(prepared.keySet());
    }

    boolean hasFreeSlot() {
        return prepared.size() < settings.slots();
    }

    void finishPrepared(ServerTransaction transaction, boolean commit, BranchFacts.Ending by) {
        if (transaction.strangers) {
            throw new IllegalStateException("a stranger's prepared transaction was ended: " + transaction.xid);
        }
        prepared.remove(String.valueOf(transaction.xid));
        transaction.owner = null;
        if (commit) {
            commit(transaction, by);
        } else {
            rollback(transaction, by);
        }
    }

    // PostgreSQL's transaction ids.

    TransactionIds ids() {
        return ids;
    }

    /** Gives the transaction an id if it has none. */
    long idOf(ServerTransaction transaction) {
        if (transaction.id == 0) {
            transaction.id = ids.next();
        }
        return transaction.id;
    }

    /** The state of the transaction that has this id now: after a crash it may be a stranger's. Null when there is none. */
    ServerTransaction.@Nullable State stateOfId(long id) {
        for (int i = history.size() - 1; i >= 0; i--) {
            if (history.get(i).id == id) {
                return history.get(i).state;
            }
        }
        return null;
    }

    void happened(DatabaseFault fault) {
        world.happened(fault.counter());
    }
}
