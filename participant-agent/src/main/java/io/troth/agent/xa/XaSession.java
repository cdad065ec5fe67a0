package io.troth.agent.xa;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import java.util.concurrent.Executor;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;

/**
 * An XAConnection that looks like a plain connection, so that a pool can hold it. {@code unwrap(XaSession.class)} leads
 * back here. Used by one thread at a time, except for {@code abort}.
 */
final class XaSession implements InvocationHandler {

    private final XAConnection physical;
    private final Connection handle;
    private final XAResource resource;
    private volatile boolean inBranch;

    private XaSession(XAConnection physical) throws SQLException {
        this.physical = physical;
        this.handle = Objects.requireNonNull(physical.getConnection(), "the XAConnection gave no connection");
        this.resource = Objects.requireNonNull(physical.getXAResource(), "the XAConnection gave no XAResource");
    }

    static Connection open(XADataSource source) throws SQLException {
        XAConnection physical = Objects.requireNonNull(source.getXAConnection(), "the XADataSource gave no connection");
        try {
            return (Connection) Proxy.newProxyInstance(
                    XaSession.class.getClassLoader(), new Class<?>[] {Connection.class}, new XaSession(physical));
        } catch (SQLException | RuntimeException | Error e) {
            PhysicalConnections.close(physical::close, e);
            throw e;
        }
    }

    static XaSession of(Connection connection) throws SQLException {
        return connection.unwrap(XaSession.class);
    }

    XAResource resource() {
        return resource;
    }

    /** True from the start of a branch until the database has said that the session is free of it. */
    boolean isInBranch() {
        return inBranch;
    }

    void setInBranch(boolean started) {
        inBranch = started;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
        switch (method.getName()) {
            case "equals" -> {
                return arguments != null && proxy == arguments[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            case "toString" -> {
                return handle.toString();
            }
            case "close" -> {
                if (inBranch) {
                    // Derby refuses to close a session whose branch is active, and would keep it with its locks.
                    abort(Runnable::run);
                } else {
                    physical.close();
                }
                return null;
            }
            case "abort" -> {
                abort(arguments == null ? Runnable::run : (Executor) arguments[0]);
                return null;
            }
            case "unwrap" -> {
                if (arguments != null && arguments[0] == XaSession.class) {
                    return this;
                }
            }
            default -> {}
        }
        try {
            return method.invoke(handle, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }

    private void abort(Executor executor) throws SQLException {
        try {
            handle.abort(executor);
        } finally {
            physical.close();
        }
    }
}
