package io.troth.chaos.stack;

import io.grpc.Context;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeUnknownException;
import io.troth.client.RolledBackException;
import io.troth.client.Transaction;
import io.troth.client.TransactionOptions;
import io.troth.client.TrothClient;
import io.troth.client.context.CallScope;
import io.troth.core.TrothException;
import java.time.Duration;
import java.util.Objects;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.HeuristicCompletionException;
import org.springframework.transaction.InvalidIsolationLevelException;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.UnexpectedRollbackException;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.transaction.support.SmartTransactionObject;
import org.springframework.transaction.support.TransactionSynchronizationUtils;

/**
 * Makes Spring's {@code @Transactional} and {@code TransactionTemplate} global transactions: the outermost unit begins and
 * ends one, and all others join what runs, also when a client or a call has begun it. To be copied into an application.
 */
final class TrothTransactionManager extends AbstractPlatformTransactionManager {

    private final transient TrothClient client;

    TrothTransactionManager(TrothClient client) {
        this.client = client;
    }

    /** A unit of Spring's; only the outermost one has begun a transaction. */
    private static final class Unit implements SmartTransactionObject {

        private GlobalTransaction begun;

        @Override
        public boolean isRollbackOnly() {
            return GlobalTransaction.current().map(Transaction::isRollbackOnly).orElse(false);
        }
    }

    private static GlobalTransaction begunBy(Object unit) {
        return Objects.requireNonNull(((Unit) unit).begun);
    }

    @Override
    protected Object doGetTransaction() {
        return new Unit();
    }

    @Override
    protected boolean isExistingTransaction(Object unit) {
        return GlobalTransaction.current().isPresent();
    }

    @Override
    protected void doBegin(Object unit, TransactionDefinition definition) {
        if (definition.getIsolationLevel() != TransactionDefinition.ISOLATION_DEFAULT) {
            throw new InvalidIsolationLevelException("set it at each connection, before its first statement");
        }
        TransactionOptions options = TransactionOptions.named(Objects.requireNonNullElse(definition.getName(), ""));
        int seconds = determineTimeout(definition);
        try {
            ((Unit) unit).begun =
                    client.begin(seconds > 0 ? options.withTimeout(Duration.ofSeconds(seconds)) : options);
        } catch (TrothException e) {
            throw new CannotCreateTransactionException(e.getMessage(), e);
        }
    }

    /**
     * Before the commit, and before a unit that has joined a call's transaction returns: a session of Hibernate's that
     * nobody flushes would leave out what it has not written, and the rest would be committed.
     */
    @Override
    protected void prepareForCommit(DefaultTransactionStatus status) {
        if (status.isNewSynchronization()) {
            TransactionSynchronizationUtils.triggerFlush();
        }
    }

    /** So that the commit says why there is none. */
    @Override
    protected boolean shouldCommitOnGlobalRollbackOnly() {
        return true;
    }

    @Override
    protected void doCommit(DefaultTransactionStatus status) {
        try {
            begunBy(status.getTransaction()).commit();
        } catch (RolledBackException e) {
            throw new UnexpectedRollbackException(e.getMessage(), e);
        } catch (OutcomeUnknownException e) {
            throw new HeuristicCompletionException(HeuristicCompletionException.STATE_UNKNOWN, e);
        }
    }

    @Override
    protected void doRollback(DefaultTransactionStatus status) {
        begunBy(status.getTransaction()).rollback();
    }

    @Override
    protected void doSetRollbackOnly(DefaultTransactionStatus status) {
        GlobalTransaction.current().ifPresent(tx -> tx.setRollbackOnly("a unit that had joined it was rolled back"));
    }

    /** For REQUIRES_NEW and NOT_SUPPORTED: the thread runs under no transaction until {@link #doResume}. */
    @Override
    protected Object doSuspend(Object unit) {
        return CallScope.unbind(Context.current()).attach();
    }

    @Override
    protected void doResume(Object unit, Object suspended) {
        Context.current().detach((Context) suspended);
    }

    @Override
    protected void doCleanupAfterCompletion(Object unit) {
        begunBy(unit).close();
    }
}
