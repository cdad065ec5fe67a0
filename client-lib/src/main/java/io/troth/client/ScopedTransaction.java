package io.troth.client;

import io.troth.client.context.CallScope;
import io.troth.client.context.ScopedTasks;
import io.troth.client.internal.SqlGateways;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A transaction seen from one of its scopes. */
final class ScopedTransaction implements Transaction {

    private final CallScope scope;
    private final @Nullable SqlGateways gateways;

    /** @param gateways null when no client is known */
    ScopedTransaction(CallScope scope, @Nullable SqlGateways gateways) {
        this.scope = scope;
        this.gateways = gateways;
    }

    @Override
    public GlobalTxId id() {
        return scope.tx();
    }

    @Override
    public Duration remaining() {
        return Duration.ofMillis(scope.remainingMillis());
    }

    @Override
    public void setRollbackOnly(String why) {
        scope.forbidCommit(new Reason(ErrorCode.ROLLBACK_ONLY, why));
    }

    @Override
    public boolean isRollbackOnly() {
        return scope.isRollbackOnly();
    }

    @Override
    public Runnable wrap(Runnable task) {
        return ScopedTasks.wrap(scope, task);
    }

    @Override
    public <T> Callable<T> wrap(Callable<T> task) {
        return ScopedTasks.wrap(scope, task);
    }

    @Override
    public Executor wrap(Executor executor) {
        return ScopedTasks.wrap(scope, executor);
    }

    @Override
    public TransactionSql sql(String resource) {
        if (gateways == null) {
            throw new IllegalStateException("remote SQL needs a client: use the transaction of TrothClient.current()");
        }
        return gateways.sql(scope, resource);
    }

    @Override
    public Binding bind() {
        CallScope.Binding binding = scope.attach();
        return binding::close;
    }

    @Override
    public String toString() {
        return "Transaction[" + id() + "]";
    }
}
