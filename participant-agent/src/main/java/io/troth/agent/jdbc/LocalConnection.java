package io.troth.agent.jdbc;

import io.troth.client.context.CallScope;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A connection that an application took outside every global transaction: a plain pooled one. It refuses to work under a
 * transaction, which would not hold for it, and never goes back to the pool with a transaction of its own still open.
 */
final class LocalConnection implements InvocationHandler, Guard {

    private final JdbcBranchDatabase database;
    private final Connection target;
    private final boolean usableInTransactions;
    private final Connection proxy;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile boolean broken;

    private LocalConnection(JdbcBranchDatabase database, Connection target, boolean usableInTransactions) {
        this.database = database;
        this.target = target;
        this.usableInTransactions = usableInTransactions;
        this.proxy = (Connection)
                Proxy.newProxyInstance(LocalConnection.class.getClassLoader(), new Class<?>[] {Connection.class}, this);
    }

    static Connection open(JdbcBranchDatabase database, boolean usableInTransactions) throws SQLException {
        return new LocalConnection(database, database.takeForLocalWork(), usableInTransactions).proxy;
    }

    @Override
    public void check() throws SQLException {
        if (closed.get()) {
            throw new SQLException("the connection is closed", "08003");
        }
        CallScope current = usableInTransactions ? null : CallScope.current();
        if (current != null) {
            throw SqlErrors.of(new Reason(
                    ErrorCode.OPENED_OUTSIDE_TRANSACTION,
                    "resource " + database.resource() + ", used under transaction " + current.tx()));
        }
    }

    @Override
    public <T> @Nullable T run(Use use, @Nullable Statement statement, Call<T> call) throws SQLException {
        try {
            return call.run();
        } catch (SQLException e) {
            broken |= database.driver().isConnectionLost(e);
            throw e;
        } catch (RuntimeException | Error e) {
            // Nobody knows where the driver stands in its talk with the database.
            broken = true;
            throw e;
        }
    }

    @Override
    public void release(Call<Void> call) throws SQLException {
        if (!closed.get()) {
            call.run();
        }
    }

    @Override
    public boolean mayUnwrap() {
        return true;
    }

    @Override
    public @Nullable Object invoke(Object self, Method method, Object @Nullable [] arguments) throws SQLException {
        switch (method.getName()) {
            case "equals" -> {
                return arguments != null && self == arguments[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(self);
            }
            case "toString" -> {
                return "local connection of resource " + database.resource();
            }
            case "close" -> {
                if (closed.compareAndSet(false, true)) {
                    giveBack();
                }
                return null;
            }
            case "isClosed" -> {
                return closed.get() || target.isClosed();
            }
            case "isValid" -> {
                if (closed.get()) {
                    return false;
                }
                return call(method, arguments);
            }
            case "abort" -> {
                if (closed.compareAndSet(false, true)) {
                    try {
                        target.abort(Runnable::run);
                    } finally {
                        database.release(target, false);
                    }
                }
                return null;
            }
            case "unwrap" -> {
                check();
                Class<?> type = arguments == null ? Connection.class : (Class<?>) arguments[0];
                return type.isInstance(self) ? self : target.unwrap(type);
            }
            case "isWrapperFor" -> {
                return arguments != null
                        && (((Class<?>) arguments[0]).isInstance(self) || target.isWrapperFor((Class<?>) arguments[0]));
            }
            default -> {
                return call(method, arguments);
            }
        }
    }

    private @Nullable Object call(Method method, Object @Nullable [] arguments) throws SQLException {
        try {
            check();
            return run(
                    Use.EXECUTE,
                    null,
                    () -> JdbcWrapper.wrap(JdbcWrapper.call(method, target, arguments), this, proxy));
        } catch (SQLException e) {
            throw JdbcWrapper.declared(method, e);
        }
    }

    /** What was not committed is rolled back, as every pool does it; what resists is not reused. */
    private void giveBack() {
        boolean whole = !broken;
        try {
            if (whole && !target.getAutoCommit()) {
                target.rollback();
                target.setAutoCommit(true);
            }
        } catch (SQLException | RuntimeException | Error e) {
            // It is closed below, and the database rolls back.
            whole = false;
        }
        database.release(target, whole);
    }
}
