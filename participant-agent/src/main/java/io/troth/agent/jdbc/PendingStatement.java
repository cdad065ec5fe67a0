package io.troth.agent.jdbc;

import io.troth.agent.xa.BranchPrologue;
import io.troth.client.context.CallScope;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Time;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A prepared statement of a branch that has not begun, at a database where a branch can begin in the message of its first
 * statement. Nothing is made at the database, and no connection is taken, before it is needed: when this is the first
 * statement that is executed, the branch begins with it ({@link BranchPrologue}).
 *
 * <p>Only the plain way waits: one statement, a value in memory for each parameter, one execution. Every other call, and
 * the second execution, makes an ordinary statement, gives it the values set so far, and goes on with that one for good.
 */
final class PendingStatement implements InvocationHandler {

    private static final Set<String> EXECUTES =
            Set.of("executeQuery", "executeUpdate", "executeLargeUpdate", "execute");

    private static final Set<String> SETTERS = Set.of(
            "setNull",
            "setBoolean",
            "setByte",
            "setShort",
            "setInt",
            "setLong",
            "setFloat",
            "setDouble",
            "setBigDecimal",
            "setString",
            "setBytes",
            "setDate",
            "setTime",
            "setTimestamp",
            "setObject");

    private static final Set<Class<?>> IMMUTABLE = Set.of(
            Boolean.class,
            Byte.class,
            Short.class,
            Integer.class,
            Long.class,
            Float.class,
            Double.class,
            BigDecimal.class,
            BigInteger.class,
            String.class,
            UUID.class,
            LocalDate.class,
            LocalTime.class,
            LocalDateTime.class,
            OffsetDateTime.class);

    /** What may be asked after the execution with which the branch began. */
    private static final Set<String> AFTER_FIRST = Set.of(
            "getResultSet",
            "getUpdateCount",
            "getLargeUpdateCount",
            "getMoreResults",
            "getGeneratedKeys",
            "getWarnings",
            "clearWarnings",
            "closeOnCompletion",
            "isCloseOnCompletion");

    /** A call of a setter. */
    private static final class Value {

        private final int index;
        private final Method setter;
        private final @Nullable Object[] arguments;

        Value(int index, Method setter, @Nullable Object[] arguments) {
            this.index = index;
            this.setter = setter;
            this.arguments = arguments;
        }

        void set(PreparedStatement statement, int offset) throws SQLException {
            @Nullable Object[] shifted = arguments.clone();
            shifted[0] = index + offset;
            JdbcWrapper.call(setter, statement, shifted);
        }
    }

    /** A statement of the driver. */
    private record Made(PreparedStatement statement, JdbcWrapper wrapper) {}

    private final CallScope scope;
    private final BranchSession session;
    private final Guard guard;
    private final Object connection;
    private final String sql;
    private final @Nullable Value[] values;

    /** As asked for; negative when it was not. */
    private int timeoutSeconds = -1;

    /** As asked for; 0 when it was not. */
    private int fetchSize;

    // Read by cancel() and close() of other threads.
    private volatile @Nullable Made first;
    private volatile @Nullable Made ordinary;
    private volatile boolean closed;

    private PendingStatement(CallScope scope, BranchSession session, Guard guard, Object connection, String sql) {
        this.scope = scope;
        this.session = session;
        this.guard = guard;
        this.connection = connection;
        this.sql = sql;
        this.values = new Value[(int) sql.chars().filter(c -> c == '?').count()];
    }

    /** Several statements have several results: they go the ordinary way. */
    static boolean takes(String sql) {
        return sql.indexOf(';') < 0;
    }

    static PreparedStatement open(CallScope scope, BranchSession session, Guard guard, Object connection, String sql) {
        return (PreparedStatement) Proxy.newProxyInstance(
                PendingStatement.class.getClassLoader(),
                new Class<?>[] {PreparedStatement.class},
                new PendingStatement(scope, session, guard, connection, sql));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws SQLException {
        Made made = ordinary;
        switch (method.getName()) {
            case "equals" -> {
                return arguments != null && proxy == arguments[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            case "toString" -> {
                return made == null ? sql : made.statement().toString();
            }
            case "close" -> {
                closed = true;
                release(first);
                release(made);
                return null;
            }
            case "isClosed" -> {
                Made last = made != null ? made : first;
                return closed || (last != null && last.statement().isClosed());
            }
            case "isWrapperFor" -> {
                return ((Class<?>) JdbcWrapper.first(arguments)).isInstance(proxy);
            }
            case "unwrap" -> {
                Class<?> type = (Class<?>) JdbcWrapper.first(arguments);
                if (type.isInstance(proxy)) {
                    return proxy;
                }
                throw BranchConnection.unwrapRefused(type);
            }
            default -> {
                guard.check();
                if (closed) {
                    throw new SQLException("the statement is closed", "55000");
                }
                return made == null ? pending(proxy, method, arguments) : forward(made, proxy, method, arguments);
            }
        }
    }

    private @Nullable Object pending(Object proxy, Method method, Object @Nullable [] arguments) throws SQLException {
        String name = method.getName();
        Made begun = first;
        if (begun != null && AFTER_FIRST.contains(name)) {
            return begun.wrapper().invoke(proxy, method, arguments);
        }
        if (name.equals("setFetchSize") && JdbcWrapper.first(arguments) instanceof Integer size && size > 1) {
            fetchSize = size;
            return null;
        }
        Value value = arguments == null ? null : valueOf(method, arguments);
        if (value != null) {
            values[value.index - 1] = value;
            return null;
        }
        if (arguments == null && begun == null && EXECUTES.contains(name) && hasAllValues()) {
            Use use = name.equals("executeQuery") ? Use.QUERY : Use.EXECUTE;
            Object result = session.runFirst(scope, use, new First(name));
            if (result != null) {
                return JdbcWrapper.wrap(result, guard, proxy);
            }
        }
        if (name.equals("setQueryTimeout") && JdbcWrapper.first(arguments) instanceof Integer seconds && seconds >= 0) {
            timeoutSeconds = seconds;
            return null;
        }
        if (name.equals("getQueryTimeout") && timeoutSeconds >= 0) {
            return timeoutSeconds;
        }
        switch (name) {
            case "getConnection" -> {
                return connection;
            }
            case "clearParameters" -> {
                Arrays.fill(values, null);
                return null;
            }
            case "cancel" -> {
                if (begun != null) {
                    begun.statement().cancel();
                }
                return null;
            }
            default -> {
                return forward(ordinary(), proxy, method, arguments);
            }
        }
    }

    /** Null when the call must be made at once. */
    private @Nullable Value valueOf(Method method, Object[] arguments) {
        if (!SETTERS.contains(method.getName())
                || !(arguments[0] instanceof Integer index)
                || index < 1
                || index > values.length) {
            return null;
        }
        @Nullable Object[] own = arguments.clone();
        for (int i = 1; i < own.length; i++) {
            Object value = own[i];
            if (value != null && !IMMUTABLE.contains(value.getClass())) {
                own[i] = copyOf(value);
                if (own[i] == null) {
                    return null;
                }
            }
        }
        return new Value(index, method, own);
    }

    /** Of a value that the application may change as soon as it is set; null of any other. */
    private static @Nullable Object copyOf(Object value) {
        if (value instanceof byte[] bytes) {
            return bytes.clone();
        } else if (value instanceof Date date) {
            return date.clone();
        } else if (value instanceof Time time) {
            return time.clone();
        }
        return value instanceof Timestamp timestamp ? timestamp.clone() : null;
    }

    /**
     * A question mark that is no parameter, but an operator or in a literal, leaves a gap: so the driver, which knows, has
     * the word about a parameter that is missing.
     */
    private boolean hasAllValues() {
        for (Value value : values) {
            if (value == null) {
                return false;
            }
        }
        return true;
    }

    /** The execution with which the branch begins. */
    private final class First implements BranchSession.First<Object> {

        private final String name;

        First(String name) {
            this.name = name;
        }

        @Override
        public @Nullable PreparedStatement make(Connection own, BranchPrologue prologue) {
            try {
                return prepare(own, prologue);
            } catch (SQLException | RuntimeException e) {
                // An ordinary statement will say it in words that fit the application's own text and parameters.
                return null;
            }
        }

        private PreparedStatement prepare(Connection own, BranchPrologue prologue) throws SQLException {
            PreparedStatement statement = own.prepareStatement(prologue.sql() + sql);
            try {
                setValues(statement, prologue.bind(statement));
            } catch (SQLException | RuntimeException e) {
                statement.close();
                throw e;
            }
            first = made(statement);
            return statement;
        }

        @Override
        public Object execute(PreparedStatement statement, BranchPrologue prologue) throws SQLException {
            boolean hasRows = prologue.execute(statement);
            switch (name) {
                case "execute" -> {
                    return hasRows;
                }
                case "executeQuery" -> {
                    if (!hasRows) {
                        throw new SQLException("No results were returned by the query.", "02000");
                    }
                    return Objects.requireNonNull(statement.getResultSet());
                }
                default -> {
                    if (hasRows) {
                        throw new SQLException("A result was returned when none was expected.", "0100E");
                    }
                    if (name.equals("executeUpdate")) {
                        return statement.getUpdateCount();
                    }
                    return statement.getLargeUpdateCount();
                }
            }
        }
    }

    private Made made(PreparedStatement statement) throws SQLException {
        if (fetchSize > 0) {
            statement.setFetchSize(fetchSize);
        }
        if (timeoutSeconds >= 0) {
            statement.setQueryTimeout(timeoutSeconds);
        }
        return new Made(statement, new JdbcWrapper(statement, guard, connection));
    }

    private void setValues(PreparedStatement statement, int offset) throws SQLException {
        for (Value value : values) {
            if (value != null) {
                value.set(statement, offset);
            }
        }
    }

    private Made ordinary() throws SQLException {
        Made made = Objects.requireNonNull(session.run(scope, Use.OTHER, null, own -> {
            PreparedStatement prepared = own.prepareStatement(sql);
            try {
                setValues(prepared, 0);
                return made(prepared);
            } catch (SQLException e) {
                prepared.close();
                throw e;
            }
        }));
        ordinary = made;
        return made;
    }

    private @Nullable Object forward(Made made, Object proxy, Method method, Object @Nullable [] arguments)
            throws SQLException {
        if (method.getName().startsWith("execute")) {
            // A statement's results end when it is executed again.
            release(first);
            first = null;
        }
        return made.wrapper().invoke(proxy, method, arguments);
    }

    private void release(@Nullable Made made) throws SQLException {
        if (made != null) {
            guard.release(() -> {
                made.statement().close();
                return null;
            });
        }
    }
}
