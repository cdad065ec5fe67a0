package io.troth.client;

import io.troth.client.context.CallScope;
import io.troth.client.context.ScopedTasks;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;

/** A transaction seen from one of its scopes. */
final class ScopedTransaction implements Transaction {

    private final CallScope scope;

    ScopedTransaction(CallScope scope) {
        this.scope = scope;
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
        scope.setRollbackOnly(new Reason(ErrorCode.ROLLBACK_ONLY, why));
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
    public Binding bind() {
        CallScope.Binding binding = scope.attach();
        return binding::close;
    }

    @Override
    public String toString() {
        return "Transaction[" + id() + "]";
    }
}
