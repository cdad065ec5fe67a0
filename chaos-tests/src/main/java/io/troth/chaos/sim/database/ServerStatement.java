package io.troth.chaos.sim.database;

import io.troth.chaos.sim.check.BranchFacts;
import io.troth.chaos.sim.check.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** One statement of an application at its server, which may have to wait for a lock. */
final class ServerStatement implements ServerSession.Waiting {

    private final SimulatedServer server;
    private final ServerSession session;
    private final SqlOperation operation;
    private final Consumer<List<Long>> done;
    private final Consumer<ServerError> failed;

    /** Exactly one of the two hears of its end. */
    ServerStatement(
            SimulatedServer server,
            ServerSession session,
            SqlOperation operation,
            Consumer<List<Long>> done,
            Consumer<ServerError> failed) {
        this.server = server;
        this.session = session;
        this.operation = operation;
        this.done = done;
        this.failed = failed;
    }

    /**
     * Runs, now or when its lock is there.
     *
     * @param lockWaitMillis how long it waits for a lock
     */
    void start(long lockWaitMillis) {
        ServerTransaction transaction = session.transaction;
        if (transaction == null || transaction.state != ServerTransaction.State.ACTIVE || transaction.failed) {
            server.happened(DatabaseFault.STATEMENT_OF_FAILED_TRANSACTION);
            failed.accept(new ServerError("25P02", "current transaction is aborted, commands ignored"));
            return;
        }
        // Other databases refuse such text.
        boolean mayChain = server.flavour == Flavour.POSTGRESQL && !transaction.steps.isEmpty();
        if (mayChain && server.strikes(DatabaseFault.TRANSACTION_CONTROL_BYPASSED)) {
            transaction = rollBackAndChain(transaction);
        }
        if (server.strikes(DatabaseFault.STATEMENT_REFUSED)) {
            fails(transaction, new ServerError("22012", "division by zero"));
        } else if (operation.kind() == SqlOperation.Kind.READ) {
            run(transaction);
        } else {
            lockThenRun(transaction, lockWaitMillis);
        }
    }

    /** The application's SQL text ends the branch's transaction, with the work lost, and begins another one. */
    private ServerTransaction rollBackAndChain(ServerTransaction transaction) {
        server.rollback(transaction, BranchFacts.Ending.BYPASSED);
        return server.begin(session);
    }

    private void lockThenRun(ServerTransaction transaction, long lockWaitMillis) {
        Runnable granted = () -> granted(transaction);
        switch (server.locks().take(transaction, operation.key(), operation.writes(), granted)) {
            case GRANTED -> run(transaction);
            case DEADLOCK -> {
                server.happened(DatabaseFault.DEADLOCK);
                fails(transaction, new ServerError(ServerError.DEADLOCK, "deadlock detected"));
            }
            case WAITS -> {
                server.happened(DatabaseFault.LOCK_WAIT);
                session.waiting = this;
                server.world.schedule(TimeUnit.MILLISECONDS.toNanos(lockWaitMillis), this::timedOut);
            }
        }
    }

    private void granted(ServerTransaction transaction) {
        if (session.waiting == this) {
            session.waiting = null;
            run(transaction);
        }
    }

    private void timedOut() {
        if (session.waiting == this) {
            server.happened(DatabaseFault.LOCK_TIMEOUT);
            fails(new ServerError("55P03", "canceling statement due to lock timeout"));
        }
    }

    private void run(ServerTransaction transaction) {
        List<Long> row = server.rowFor(transaction, operation.key());
        if (operation.kind() == SqlOperation.Kind.ADD) {
            long balance = (row.isEmpty() ? 0 : row.get(0)) + operation.argument();
            if (balance < server.settings.lowestBalance()) {
                fails(transaction, new ServerError("23514", "the balance must not be so low"));
                return;
            }
            row = List.of(balance);
        } else if (operation.kind() == SqlOperation.Kind.APPEND) {
            List<Long> longer = new ArrayList<>(row);
            longer.add(operation.argument());
            row = List.copyOf(longer);
        }
        if (operation.kind() != SqlOperation.Kind.READ) {
            // A row lock, too, makes PostgreSQL give the transaction an id.
            long unused = server.idOf(transaction);
        }
        if (operation.writes()) {
            transaction.writes.put(operation.key(), row);
        }
        server.executed(transaction, operation);
        transaction.steps.add(new Step(operation.step(), operation.key(), operation.argument(), row));
        done.accept(row);
    }

    @Override
    public void fails(ServerError why) {
        ServerTransaction transaction = session.transaction;
        if (session.open && transaction != null) {
            fails(transaction, why);
        } else {
            session.waiting = null;
            failed.accept(why);
        }
    }

    private void fails(ServerTransaction transaction, ServerError why) {
        session.waiting = null;
        server.locks().leaveQueues(transaction);
        if (server.flavour.failedStatementFailsTransaction() || why.sqlState().equals(ServerError.DEADLOCK)) {
            transaction.failed = true;
            server.rollback(transaction, BranchFacts.Ending.DATABASE);
        }
        failed.accept(why);
    }
}
