package io.troth.agent.jdbc;

import io.troth.client.context.CallScope;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * A connection that an application took inside a global transaction: a handle on its branch, not a connection of its own.
 * Closing it returns the handle only. It dies with the call scope under which it was taken.
 */
final class BranchConnection implements InvocationHandler, Guard {

    private final CallScope scope;
    private final BranchSession session;
    private final Connection proxy;
    private volatile boolean closed;
    private volatile boolean readOnly;

    private BranchConnection(CallScope scope, BranchSession session) {
        this.scope = scope;
        this.session = session;
        this.proxy = (Connection) Proxy.newProxyInstance(
                BranchConnection.class.getClassLoader(), new Class<?>[] {Connection.class}, this);
    }

    static Connection open(CallScope scope, BranchSession session) {
        return new BranchConnection(scope, session).proxy;
    }

    @Override
    public void check() throws SQLException {
        if (closed) {
            throw new SQLException("the connection is closed", "08003");
        }
        if (scope.isClosed()) {
            throw SqlErrors.of(new Reason(ErrorCode.SCOPE_CLOSED, "transaction " + scope.tx()));
        }
        CallScope current = CallScope.current();
        if (current != null && !current.tx().equals(scope.tx())) {
            throw SqlErrors.of(new Reason(
                    ErrorCode.OPENED_OUTSIDE_TRANSACTION,
                    "a connection of transaction " + scope.tx() + " was used under " + current.tx()));
        }
    }

    @Override
    public <T> @Nullable T run(Use use, @Nullable Statement statement, Call<T> call) throws SQLException {
        return session.run(scope, use, statement, own -> call.run());
    }

    @Override
    public SQLException explained(SQLException failure) {
        return session.explained(scope, failure);
    }

    @Override
    public void release(Call<Void> call) throws SQLException {
        session.release(call);
    }

    @Override
    public boolean mayUnwrap() {
        return false;
    }

    static SQLException unwrapRefused(Class<?> type) {
        return SqlErrors.of(new Reason(
                ErrorCode.TRANSACTION_CONTROL_REFUSED,
                "unwrap(" + type.getName() + ") inside a global transaction: the driver's own object would bypass it"));
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
                return "connection of transaction " + scope.tx() + " branch " + session.branch();
            }
            case "close" -> {
                closed = true;
                return null;
            }
            case "isClosed" -> {
                return closed || scope.isClosed();
            }
            case "isValid" -> {
                return !closed && !scope.isClosed() && session.workspace().isActive(session.branch());
            }
            default -> {
                try {
                    check();
                    return open(method, arguments);
                } catch (SQLException e) {
                    throw JdbcWrapper.declared(method, e);
                }
            }
        }
    }

    private @Nullable Object open(Method method, Object @Nullable [] arguments) throws SQLException {
        String name = method.getName();
        Object first = arguments == null || arguments.length == 0 ? null : arguments[0];
        switch (name) {
            case "commit", "abort", "setSavepoint", "releaseSavepoint", "rollback", "setAutoCommit" -> {
                return transactionControl(method, first, arguments);
            }
            case "getAutoCommit" -> {
                return false;
            }
            case "setReadOnly" -> {
                // Recorded only: drivers take it as leave to answer prepare without preparing.
                readOnly = Boolean.TRUE.equals(first);
                return null;
            }
            case "isReadOnly" -> {
                return readOnly;
            }
            case "setTransactionIsolation" -> {
                session.isolate(scope, (Integer) required(first));
                return null;
            }
            case "getTransactionIsolation" -> {
                return session.isolation(scope);
            }
            case "prepareStatement" -> {
                return prepare(method, first, arguments);
            }
            case "unwrap" -> {
                return unwrap((Class<?>) required(first));
            }
            case "isWrapperFor" -> {
                return ((Class<?>) required(first)).isInstance(proxy);
            }
            case "getWarnings", "clearWarnings", "beginRequest", "endRequest" -> {
                return null;
            }
            default -> {
                return forward(name.startsWith("set") ? Use.EXECUTE : Use.OTHER, method, arguments);
            }
        }
    }

    private @Nullable Object prepare(Method method, @Nullable Object sql, Object @Nullable [] arguments)
            throws SQLException {
        return arguments != null
                        && arguments.length == 1
                        && sql instanceof String text
                        && PendingStatement.takes(text)
                        && session.awaitsStatement(scope)
                ? PendingStatement.open(scope, session, this, proxy, text)
                : forward(Use.OTHER, method, arguments);
    }

    private @Nullable Object transactionControl(Method method, @Nullable Object first, Object @Nullable [] arguments)
            throws SQLException {
        String name = method.getName();
        if (name.equals("setSavepoint")) {
            return session.setSavepoint(scope, own -> (Savepoint) required(JdbcWrapper.call(method, own, arguments)));
        } else if (name.equals("releaseSavepoint")) {
            return forward(Use.EXECUTE, method, arguments);
        } else if (first instanceof Savepoint savepoint) {
            session.rollbackTo(scope, savepoint);
            return null;
        } else if (name.equals("setAutoCommit") && Boolean.FALSE.equals(first)) {
            return null;
        }
        throw SqlErrors.of(new Reason(
                ErrorCode.TRANSACTION_CONTROL_REFUSED,
                "Connection." + name + " inside global transaction " + scope.tx()));
    }

    private @Nullable Object forward(Use use, Method method, Object @Nullable [] arguments) throws SQLException {
        return session.run(
                scope, use, null, own -> JdbcWrapper.wrap(JdbcWrapper.call(method, own, arguments), this, proxy));
    }

    private Object unwrap(Class<?> type) throws SQLException {
        if (type.isInstance(proxy)) {
            return proxy;
        }
        throw unwrapRefused(type);
    }

    private static Object required(@Nullable Object value) {
        if (value == null) {
            throw new IllegalArgumentException("must not be null");
        }
        return value;
    }
}
