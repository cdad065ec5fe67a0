package io.troth.chaos.sim.database;

import io.troth.agent.xa.TrothXid;
import io.troth.chaos.sim.check.BranchFacts;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.jspecify.annotations.Nullable;

/** A vendor's XAResource, as its flavour answers. */
final class SimulatedXaResource implements XAResource {

    /** A code that no specification knows; vendors have some. */
    private static final int VENDOR_CODE = 12_345;

    private static final List<Integer> CODES_THAT_SAY_NOTHING = List.of(
            XAException.XAER_RMERR,
            XAException.XAER_RMFAIL,
            XAException.XAER_PROTO,
            XAException.XAER_INVAL,
            XAException.XAER_ASYNC,
            XAException.XA_RETRY,
            VENDOR_CODE,
            0);

    private static final List<Integer> ROLLBACK_CODES = List.of(
            XAException.XA_RBROLLBACK,
            XAException.XA_RBCOMMFAIL,
            XAException.XA_RBDEADLOCK,
            XAException.XA_RBINTEGRITY,
            XAException.XA_RBOTHER,
            XAException.XA_RBPROTO,
            XAException.XA_RBTIMEOUT,
            XAException.XA_RBTRANSIENT);

    private final ClientEnd end;
    private final SimulatedServer server;
    private final ServerSession session;

    SimulatedXaResource(ClientEnd end) {
        this.end = end;
        this.server = end.server;
        this.session = end.session;
    }

    @FunctionalInterface
    private interface Call<T> {
        T run() throws XAException;
    }

    /** Sends a call; a broken connection comes with the code that this vendor's driver gives it. */
    private <T> T send(Trip trip, Call<T> call) throws XAException {
        XAException[] answer = new XAException[1];
        T[] result = newResult();
        try {
            end.send(trip, () -> {
                try {
                    result[0] = call.run();
                } catch (XAException e) {
                    answer[0] = e;
                }
                return true;
            });
        } catch (SQLException e) {
            XAException lost = failure(server.flavour.connectionCode(), e.getMessage());
            lost.initCause(e);
            if (lost.errorCode == 0) {
                server.happened(DatabaseFault.ERROR_CODE_ZERO);
            }
            throw lost;
        }
        if (answer[0] != null) {
            throw answer[0];
        }
        return result[0];
    }

    @SuppressWarnings("unchecked") // An array of one, to bring a result out of a callback.
    private static <T> T[] newResult() {
        return (T[]) new Object[1];
    }

    private static XAException failure(int code, @Nullable String message) {
        XAException failure = new XAException(message);
        failure.errorCode = code;
        return failure;
    }

    private XAException unknown(Xid xid) {
        return failure(server.flavour.unknownCode(), "unknown xid " + XidText.of(xid));
    }

    /** Null unless the server now answers with a code of its own; {@code mayRollBack} also with one that is true. */
    private @Nullable XAException odd(boolean mayRollBack) {
        if (!server.strikes(DatabaseFault.ODD_ERROR_CODE)) {
            return null;
        }
        SplittableRandom random = server.world.random();
        List<Integer> codes = mayRollBack && random.nextBoolean() ? ROLLBACK_CODES : CODES_THAT_SAY_NOTHING;
        return failure(codes.get(random.nextInt(codes.size())), "simulated");
    }

    private static boolean saysRolledBack(XAException odd) {
        return odd.errorCode >= XAException.XA_RBBASE && odd.errorCode <= XAException.XA_RBEND;
    }

    @Override
    public void start(Xid xid, int flags) throws XAException {
        boolean unused = send(Trip.OTHER, () -> {
            if (session.transaction != null) {
                throw failure(XAException.XAER_PROTO, "the session is in a branch");
            }
            if (server.preparedAs(XidText.of(xid)) != null) {
                throw failure(XAException.XAER_DUPID, "the xid is in use");
            }
            ServerTransaction begun = server.begin(session);
            begun.xid = XidText.of(xid);
            TrothXid branch = TrothXid.read(xid.getFormatId(), xid.getGlobalTransactionId(), xid.getBranchQualifier());
            if (branch != null) {
                server.isBranch(begun, branch.tx(), branch.branch());
            }
            return true;
        });
    }

    @Override
    public void end(Xid xid, int flags) throws XAException {
        boolean unused = send(Trip.OTHER, () -> {
            if (own(xid).failed) {
                throw failure(XAException.XA_RBDEADLOCK, "the branch was a deadlock's victim");
            }
            return true;
        });
    }

    /** The branch that runs, unprepared, in this session. */
    private ServerTransaction own(Xid xid) throws XAException {
        ServerTransaction transaction = session.transaction;
        if (transaction == null || !XidText.of(xid).equals(transaction.xid)) {
            throw unknown(xid);
        }
        return transaction;
    }

    @Override
    public int prepare(Xid xid) throws XAException {
        return send(Trip.PREPARE, () -> {
            ServerTransaction own = own(xid);
            if (own.failed) {
                throw failure(XAException.XAER_RMFAIL, "the branch can only be rolled back");
            }
            XAException odd = odd(true);
            if (odd != null && saysRolledBack(odd)) {
                rollBackOwn(own);
                throw odd;
            }
            if (odd != null && server.world.random().nextBoolean()) {
                throw odd;
            }
            int vote = makePrepared(own);
            if (odd != null) {
                throw odd;
            }
            return vote;
        });
    }

    private int makePrepared(ServerTransaction own) {
        if (own.writes.isEmpty()) {
            server.happened(DatabaseFault.READ_ONLY_BRANCH);
            if (server.flavour.honestReadOnly()) {
                server.happened(DatabaseFault.READ_ONLY_FORGOTTEN);
                session.transaction = null;
                server.commit(own, BranchFacts.Ending.AGENT);
                return XA_RDONLY;
            }
        }
        boolean tied = server.flavour.prepared() != Flavour.Prepared.FREE;
        server.prepare(own, String.valueOf(own.xid), tied ? session : null);
        if (!tied) {
            session.transaction = null;
        }
        return XA_OK;
    }

    private void rollBackOwn(ServerTransaction own) {
        session.transaction = null;
        if (!own.isOver()) {
            server.rollback(own, BranchFacts.Ending.AGENT);
        }
    }

    @Override
    public void commit(Xid xid, boolean onePhase) throws XAException {
        boolean unused = send(onePhase ? Trip.COMMIT : Trip.PHASE_TWO, () -> {
            XAException odd = odd(onePhase);
            if (odd != null && onePhase && saysRolledBack(odd)) {
                rollBackOwn(own(xid));
                throw odd;
            }
            if (odd != null && server.world.random().nextBoolean()) {
                throw odd;
            }
            if (onePhase) {
                commitOwn(own(xid));
            } else {
                commitPrepared(xid);
            }
            if (odd != null) {
                throw odd;
            }
            return true;
        });
    }

    private void commitOwn(ServerTransaction own) throws XAException {
        if (own.failed) {
            throw failure(XAException.XAER_RMFAIL, "the branch can only be rolled back");
        }
        session.transaction = null;
        if (own.writes.isEmpty()) {
            server.happened(DatabaseFault.READ_ONLY_BRANCH);
        }
        server.commit(own, BranchFacts.Ending.AGENT);
    }

    private void commitPrepared(Xid xid) throws XAException {
        ServerTransaction transaction = finishable(xid);
        // One that changed nothing is over however its end is called.
        boolean endedWithItsSession = transaction.failed;
        server.finishPrepared(transaction, true, BranchFacts.Ending.AGENT);
        if (endedWithItsSession) {
            throw failure(XAException.XA_RBROLLBACK, "the branch had changed nothing and ended with its session");
        }
    }

    /** The prepared branch, if this session may finish it. */
    private ServerTransaction finishable(Xid xid) throws XAException {
        ServerTransaction transaction = server.preparedAs(XidText.of(xid));
        if (transaction == null) {
            throw unknown(xid);
        }
        if (server.flavour.tiesPreparedToSession() && transaction.owner != null && transaction.owner != session) {
            // Listed, and yet not known here.
            server.happened(DatabaseFault.HOSTAGE_OF_ITS_SESSION);
            throw failure(XAException.XAER_NOTA, "another session holds the branch");
        }
        if (transaction.owner != null) {
            transaction.owner.transaction = null;
        }
        return transaction;
    }

    @Override
    public void rollback(Xid xid) throws XAException {
        boolean isPrepared = server.preparedAs(XidText.of(xid)) != null;
        boolean unused = send(isPrepared ? Trip.PHASE_TWO : Trip.OTHER, () -> {
            XAException odd = odd(false);
            if (odd != null && server.world.random().nextBoolean()) {
                throw odd;
            }
            ServerTransaction running = session.transaction;
            if (running != null
                    && XidText.of(xid).equals(running.xid)
                    && running.state != ServerTransaction.State.PREPARED) {
                rollBackOwn(running);
            } else {
                server.finishPrepared(finishable(xid), false, BranchFacts.Ending.AGENT);
            }
            if (odd != null) {
                throw odd;
            }
            return true;
        });
    }

    @Override
    public Xid[] recover(int flags) throws XAException {
        return send(Trip.OTHER, () -> {
            if (server.strikes(DatabaseFault.LIST_REFUSED)) {
                throw failure(XAException.XAER_RMERR, "the privilege to recover was withdrawn");
            }
            List<Xid> listed = new ArrayList<>();
            for (String text : server.preparedXids()) {
                Xid xid = XidText.read(text);
                if (xid != null) {
                    listed.add(xid);
                }
                if (XidText.isStrangers(text)) {
                    server.happened(DatabaseFault.FOREIGN_XID_LISTED);
                }
            }
            return listed.toArray(new Xid[0]);
        });
    }

    @Override
    public void forget(Xid xid) {
        throw Standins.notThere("resource", "forget");
    }

    @Override
    public boolean isSameRM(XAResource other) {
        throw Standins.notThere("resource", "isSameRM");
    }

    @Override
    public int getTransactionTimeout() {
        throw Standins.notThere("resource", "timeout");
    }

    @Override
    public boolean setTransactionTimeout(int seconds) {
        throw Standins.notThere("resource", "timeout");
    }
}
