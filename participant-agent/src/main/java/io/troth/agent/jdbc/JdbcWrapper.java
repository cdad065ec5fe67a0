package io.troth.agent.jdbc;

import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.io.Writer;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.net.URL;
import java.sql.Array;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.DatabaseMetaData;
import java.sql.NClob;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.Ref;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.sql.Statement;
import java.sql.Struct;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Stands in front of one of the driver's statements, result sets, LOBs or metadata, and sends every call that may speak
 * to the database through the connection handle's {@link Guard}. What such a call returns is wrapped again, so that
 * nothing of the driver's own reaches the application unguarded. Values that lie in memory are read without the guard's
 * lock.
 */
final class JdbcWrapper implements InvocationHandler {

    /** From the special to the general: an object is wrapped as the first of these that it is. */
    private static final List<Class<?>> WRAPPED = List.of(
            CallableStatement.class,
            PreparedStatement.class,
            Statement.class,
            ResultSet.class,
            NClob.class,
            Clob.class,
            Blob.class,
            Array.class,
            SQLXML.class,
            Ref.class,
            Struct.class,
            ResultSetMetaData.class,
            ParameterMetaData.class,
            DatabaseMetaData.class);

    private static final Set<String> EXECUTES = Set.of(
            "execute",
            "executeUpdate",
            "executeLargeUpdate",
            "executeBatch",
            "executeLargeBatch",
            "getMoreResults",
            "insertRow",
            "updateRow",
            "deleteRow");

    private static final Set<String> FETCHES = Set.of(
            "executeQuery",
            "next",
            "previous",
            "absolute",
            "relative",
            "first",
            "last",
            "isLast",
            "beforeFirst",
            "afterLast",
            "refreshRow",
            "getGeneratedKeys");

    /** Of drivers that send large values ahead of the statement. */
    private static final Set<String> MAY_SEND_AHEAD = Set.of("setBlob", "setClob", "setNClob");

    /** What a getter of a row or of out parameters may return without asking the database. */
    private static final Set<Class<?>> VALUES = Set.of(
            String.class,
            BigDecimal.class,
            byte[].class,
            java.sql.Date.class,
            java.sql.Time.class,
            java.sql.Timestamp.class,
            URL.class);

    private final Object target;
    private final Guard guard;

    /** The object by which the application reached this one: a connection handle, a statement, a result set. */
    private final Object parent;

    JdbcWrapper(Object target, Guard guard, Object parent) {
        this.target = target;
        this.guard = guard;
        this.parent = parent;
    }

    /** Wraps what came out of a driver; what needs no wrapper is returned as it is. */
    static @Nullable Object wrap(@Nullable Object result, Guard guard, Object parent) {
        if (result == null) {
            return null;
        }
        for (Class<?> type : WRAPPED) {
            if (type.isInstance(result)) {
                return Proxy.newProxyInstance(
                        JdbcWrapper.class.getClassLoader(),
                        new Class<?>[] {type},
                        new JdbcWrapper(result, guard, parent));
            }
        }
        if (result instanceof InputStream in) {
            return new GuardedStreams.In(in, guard);
        } else if (result instanceof OutputStream out) {
            return new GuardedStreams.Out(out, guard);
        } else if (result instanceof Reader reader) {
            return new GuardedStreams.Characters(reader, guard);
        } else if (result instanceof Writer writer) {
            return new GuardedStreams.Text(writer, guard);
        }
        return result;
    }

    /** Calls the driver, with its own objects as arguments, and throws what the driver throws. */
    static @Nullable Object call(Method method, Object target, Object @Nullable [] arguments) throws SQLException {
        try {
            return method.invoke(target, unwrapped(arguments));
        } catch (InvocationTargetException e) {
            Throwable cause = e.getCause();
            if (cause instanceof SQLException failure) {
                throw failure;
            } else if (cause instanceof RuntimeException failure) {
                throw failure;
            } else if (cause instanceof Error failure) {
                throw failure;
            }
            throw new SQLException("the driver threw " + cause, "HY000", cause);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("JDBC's methods are public", e);
        }
    }

    /** What the method of a connection may throw: one of them declares less, and a proxy must not throw more. */
    static SQLException declared(Method method, SQLException failure) {
        return method.getName().equals("setClientInfo") && !(failure instanceof SQLClientInfoException)
                ? new SQLClientInfoException(failure.getMessage(), failure.getSQLState(), Map.of(), failure)
                : failure;
    }

    private static Object @Nullable [] unwrapped(Object @Nullable [] arguments) {
        if (arguments == null) {
            return null;
        }
        Object[] own = arguments.clone();
        for (int i = 0; i < own.length; i++) {
            if (own[i] != null
                    && Proxy.isProxyClass(own[i].getClass())
                    && Proxy.getInvocationHandler(own[i]) instanceof JdbcWrapper wrapper) {
                own[i] = wrapper.target;
            }
        }
        return own;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws SQLException {
        String name = method.getName();
        switch (name) {
            case "equals" -> {
                return arguments != null && proxy == arguments[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            case "toString" -> {
                return target.toString();
            }
            case "close", "free" -> {
                guard.release(() -> {
                    call(method, target, arguments);
                    return null;
                });
                return null;
            }
            case "isClosed" -> {
                return call(method, target, arguments);
            }
            case "unwrap" -> {
                return unwrap(proxy, (Class<?>) first(arguments));
            }
            case "isWrapperFor" -> {
                return ((Class<?>) first(arguments)).isInstance(proxy)
                        || (guard.mayUnwrap() && Boolean.TRUE.equals(call(method, target, arguments)));
            }
            default -> {
                guard.check();
                return checked(proxy, method, arguments);
            }
        }
    }

    private @Nullable Object checked(Object proxy, Method method, Object @Nullable [] arguments) throws SQLException {
        String name = method.getName();
        if (target instanceof Statement statement) {
            return name.equals("getConnection") ? parent : guarded(proxy, statement, method, arguments);
        }
        if (target instanceof ResultSet rows) {
            return name.equals("getStatement")
                    ? (parent instanceof Statement ? parent : null)
                    : guarded(proxy, rows.getStatement(), method, arguments);
        }
        if (target instanceof DatabaseMetaData && name.equals("getConnection")) {
            return parent;
        }
        return guarded(proxy, null, method, arguments);
    }

    private @Nullable Object guarded(
            Object proxy, @Nullable Statement cancelled, Method method, Object @Nullable [] arguments)
            throws SQLException {
        Use use = useOf(method, arguments);
        if (use == null) {
            try {
                return wrap(call(method, target, arguments), guard, proxy);
            } catch (SQLException e) {
                // The end of a branch closes its statements.
                throw guard.explained(e);
            }
        }
        return guard.run(use, cancelled, () -> wrap(call(method, target, arguments), guard, proxy));
    }

    /** Null when the call stays in memory. */
    private @Nullable Use useOf(Method method, Object @Nullable [] arguments) {
        String name = method.getName();
        if (target instanceof Statement || target instanceof ResultSet) {
            if (EXECUTES.contains(name)) {
                return Use.EXECUTE;
            } else if (FETCHES.contains(name)) {
                return Use.QUERY;
            } else if (name.startsWith("get")) {
                return gets(method) ? null : Use.OTHER;
            }
            return target instanceof Statement ? useOfSetter(name, arguments) : useOfRowChange(name);
        }
        boolean metadata = target instanceof DatabaseMetaData
                || target instanceof ResultSetMetaData
                || target instanceof ParameterMetaData;
        return metadata ? Use.OTHER : Use.EXECUTE;
    }

    /** Whether a getter finds its value in memory. */
    private boolean gets(Method method) {
        Class<?> type = method.getReturnType();
        boolean handle = target instanceof Statement
                && (type == ResultSet.class || method.getName().equals("getWarnings"));
        return handle || type.isPrimitive() || VALUES.contains(type);
    }

    /** A driver may have to ask for the type of an unusual value, or send a large one ahead. */
    private static @Nullable Use useOfSetter(String name, Object @Nullable [] arguments) {
        Object value = arguments != null && arguments.length > 1 && name.startsWith("set") ? arguments[1] : null;
        if (MAY_SEND_AHEAD.contains(name) || value instanceof Blob || value instanceof Clob) {
            return Use.EXECUTE;
        }
        boolean unusual = value instanceof Array
                || value instanceof SQLXML
                || value instanceof Ref
                || value instanceof Struct
                || value instanceof Map
                || value instanceof Collection
                || (value instanceof Object[]);
        return unusual ? Use.OTHER : null;
    }

    /** A driver may ask the database first whether the row can be changed. */
    private static @Nullable Use useOfRowChange(String name) {
        return name.startsWith("update") || name.startsWith("moveTo") || name.equals("cancelRowUpdates")
                ? Use.OTHER
                : null;
    }

    private Object unwrap(Object proxy, Class<?> type) throws SQLException {
        if (type.isInstance(proxy)) {
            return type.cast(proxy);
        }
        if (!guard.mayUnwrap()) {
            throw BranchConnection.unwrapRefused(type);
        }
        guard.check();
        if (target instanceof java.sql.Wrapper wrapper) {
            return wrapper.unwrap(type);
        }
        throw new SQLException("not a wrapper for " + type.getName(), "0A000");
    }

    static Object first(Object @Nullable [] arguments) {
        if (arguments == null) {
            throw new IllegalArgumentException("an argument is missing");
        }
        return arguments[0];
    }
}
