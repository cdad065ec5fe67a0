package io.troth.agent.sql;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Types;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PGobject;

/**
 * Values between JDBC and the gateway. Here a value is a {@code Boolean} (BOOL), a {@code Long} (INT2, INT4, INT8), a
 * {@code Double} (FLOAT4, FLOAT8), a {@code byte[]} (BYTEA), a {@code List} of these (an array), null (NULL), and
 * otherwise a {@code String}: NUMERIC in decimal digits, dates and times in ISO 8601 or {@code infinity} and
 * {@code -infinity}, all others as the database writes them. So nothing is rounded and no time zone is guessed.
 */
final class SqlValues {

    private static final String INFINITY = "infinity";
    private static final String MINUS_INFINITY = "-infinity";
    private static final Set<String> NOT_A_DECIMAL = Set.of("NaN", "Infinity", "-Infinity");
    private static final int ELEMENT_COLUMN = 2;

    // What PostgreSQL's numeric holds.
    private static final int DIGITS_BEFORE_POINT_MAX = 131_072;
    private static final int DIGITS_AFTER_POINT_MAX = 16_383;

    /** A sign, a point and an exponent come to the digits. */
    private static final int DECIMAL_LENGTH_MAX = DIGITS_BEFORE_POINT_MAX + DIGITS_AFTER_POINT_MAX + 20;

    private SqlValues() {}

    /**
     * Sets a parameter.
     *
     * @throws TrothException INVALID_ARGUMENT when the value is not one of its type; the message names the position and
     *     not the value
     */
    static void bind(PreparedStatement statement, int position, SqlParameter parameter) throws SQLException {
        SqlType type = parameter.type();
        Object value = parameter.value();
        if (type == null || value == null) {
            statement.setNull(position, parameter.array() || type == null ? Types.OTHER : jdbcType(type));
            return;
        }
        try {
            if (parameter.array()) {
                bindArray(statement, position, type, (List<?>) value);
            } else {
                bindScalar(statement, position, type, value);
            }
        } catch (DateTimeException | IllegalArgumentException | ArithmeticException | ClassCastException e) {
            throw new TrothException(
                    new Reason(ErrorCode.INVALID_ARGUMENT, "parameter " + position + " is no " + type), e);
        }
    }

    private static void bindScalar(PreparedStatement statement, int position, SqlType type, Object value)
            throws SQLException {
        switch (type) {
            case BOOL -> statement.setBoolean(position, (Boolean) value);
            case INT2 -> statement.setShort(position, exactShort((Long) value));
            case INT4 -> statement.setInt(position, Math.toIntExact((Long) value));
            case INT8 -> statement.setLong(position, (Long) value);
            case FLOAT4 -> statement.setFloat(position, ((Double) value).floatValue());
            case FLOAT8 -> statement.setDouble(position, (Double) value);
            case BYTEA -> statement.setBytes(position, (byte[]) value);
            case TEXT -> statement.setString(position, (String) value);
            case NUMERIC -> {
                String digits = (String) value;
                if (NOT_A_DECIMAL.contains(digits)) {
                    statement.setObject(position, postgresObject(type, digits));
                } else {
                    statement.setBigDecimal(position, decimal(digits));
                }
            }
            case DATE, TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ ->
                statement.setObject(position, temporal(type, (String) value));
            case UUID -> statement.setObject(position, UUID.fromString((String) value));
            case JSON, JSONB -> statement.setObject(position, postgresObject(type, (String) value));
        }
    }

    private static void bindArray(PreparedStatement statement, int position, SqlType type, List<?> elements)
            throws SQLException {
        @Nullable Object[] values = new Object[elements.size()];
        for (int i = 0; i < values.length; i++) {
            Object element = elements.get(i);
            values[i] = element == null ? null : element(type, element);
        }
        Array array = statement.getConnection().createArrayOf(type.databaseName(), values);
        statement.setArray(position, array);
    }

    /** In a form that the driver writes into an array of the type; text is checked, so that the refusal is ours. */
    private static Object element(SqlType type, Object value) {
        return switch (type) {
            case BOOL -> (Boolean) value;
            case INT2 -> exactShort((Long) value);
            case INT4 -> Math.toIntExact((Long) value);
            case INT8 -> (Long) value;
            case FLOAT4 -> ((Double) value).floatValue();
            case FLOAT8 -> (Double) value;
            case BYTEA -> (byte[]) value;
            case NUMERIC -> NOT_A_DECIMAL.contains((String) value) ? value : decimal((String) value);
            case DATE, TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ -> {
                var unused = temporal(type, (String) value);
                yield value;
            }
            case UUID -> UUID.fromString((String) value);
            case TEXT, JSON, JSONB -> (String) value;
        };
    }

    /** The driver writes the zeros of an exponent, however many: what the database could not hold is refused before. */
    private static BigDecimal decimal(String digits) {
        if (digits.length() > DECIMAL_LENGTH_MAX) {
            throw new ArithmeticException("too long");
        }
        BigDecimal value = new BigDecimal(digits);
        if (value.scale() > DIGITS_AFTER_POINT_MAX
                || (long) value.precision() - value.scale() > DIGITS_BEFORE_POINT_MAX) {
            throw new ArithmeticException("beyond numeric");
        }
        return value;
    }

    private static short exactShort(Long value) {
        short narrow = value.shortValue();
        if (narrow != value) {
            throw new ArithmeticException("not a short");
        }
        return narrow;
    }

    private static Object temporal(SqlType type, String text) {
        boolean infinite = text.equals(INFINITY);
        boolean minusInfinite = text.equals(MINUS_INFINITY);
        return switch (type) {
            case DATE -> infinite ? LocalDate.MAX : minusInfinite ? LocalDate.MIN : LocalDate.parse(text);
            case TIMESTAMP ->
                infinite ? LocalDateTime.MAX : minusInfinite ? LocalDateTime.MIN : LocalDateTime.parse(text);
            case TIMESTAMPTZ ->
                infinite ? OffsetDateTime.MAX : minusInfinite ? OffsetDateTime.MIN : OffsetDateTime.parse(text);
            case TIME -> LocalTime.parse(text);
            case TIMETZ -> OffsetTime.parse(text);
            case BOOL, INT2, INT4, INT8, NUMERIC, FLOAT4, FLOAT8, TEXT, BYTEA, UUID, JSON, JSONB ->
                throw new IllegalArgumentException("not a time: " + type);
        };
    }

    private static PGobject postgresObject(SqlType type, String text) throws SQLException {
        PGobject object = new PGobject();
        object.setType(type.databaseName());
        object.setValue(text);
        return object;
    }

    private static int jdbcType(SqlType type) {
        return switch (type) {
            case BOOL -> Types.BOOLEAN;
            case INT2 -> Types.SMALLINT;
            case INT4 -> Types.INTEGER;
            case INT8 -> Types.BIGINT;
            case NUMERIC -> Types.NUMERIC;
            case FLOAT4 -> Types.REAL;
            case FLOAT8 -> Types.DOUBLE;
            case TEXT -> Types.VARCHAR;
            case BYTEA -> Types.BINARY;
            case DATE -> Types.DATE;
            case TIME -> Types.TIME;
            case TIMETZ -> Types.TIME_WITH_TIMEZONE;
            case TIMESTAMP -> Types.TIMESTAMP;
            case TIMESTAMPTZ -> Types.TIMESTAMP_WITH_TIMEZONE;
            case UUID, JSON, JSONB -> Types.OTHER;
        };
    }

    /**
     * What the columns of a result are.
     *
     * @throws TrothException TYPE_NOT_SUPPORTED with the name of the first column that cannot be carried
     */
    static List<SqlColumn> columns(ResultSetMetaData result) throws SQLException {
        List<SqlColumn> columns = new ArrayList<>();
        for (int i = 1; i <= result.getColumnCount(); i++) {
            String name = result.getColumnLabel(i);
            String typeName = result.getColumnTypeName(i);
            boolean array = typeName.startsWith("_");
            SqlType type = SqlType.named(array ? typeName.substring(1) : typeName);
            if (type == null) {
                throw new TrothException(new Reason(
                        ErrorCode.TYPE_NOT_SUPPORTED, "column " + i + " \"" + name + "\" has the type " + typeName));
            }
            columns.add(new SqlColumn(name, type, array));
        }
        return columns;
    }

    /** The values of the current row. */
    static List<@Nullable Object> row(ResultSet rows, List<SqlColumn> columns) throws SQLException {
        List<@Nullable Object> values = new ArrayList<>(columns.size());
        for (int i = 0; i < columns.size(); i++) {
            SqlColumn column = columns.get(i);
            values.add(column.array() ? array(rows, i + 1, column) : scalar(rows, i + 1, column.type()));
        }
        return values;
    }

    private static @Nullable Object scalar(ResultSet rows, int column, SqlType type) throws SQLException {
        Object value = switch (type) {
            case BOOL -> rows.getBoolean(column);
            case INT2, INT4, INT8 -> rows.getLong(column);
            case FLOAT4 -> (double) rows.getFloat(column);
            case FLOAT8 -> rows.getDouble(column);
            case BYTEA -> rows.getBytes(column);
            case NUMERIC, TEXT, UUID, JSON, JSONB -> rows.getString(column);
            case DATE -> bounded(rows.getObject(column, LocalDate.class), LocalDate.MIN, LocalDate.MAX);
            case TIMESTAMP ->
                bounded(rows.getObject(column, LocalDateTime.class), LocalDateTime.MIN, LocalDateTime.MAX);
            case TIMESTAMPTZ ->
                bounded(rows.getObject(column, OffsetDateTime.class), OffsetDateTime.MIN, OffsetDateTime.MAX);
            case TIME -> text(rows.getObject(column, LocalTime.class));
            case TIMETZ -> text(rows.getObject(column, OffsetTime.class));
        };
        return rows.wasNull() ? null : value;
    }

    private static @Nullable List<@Nullable Object> array(ResultSet rows, int column, SqlColumn what)
            throws SQLException {
        Array array = rows.getArray(column);
        if (array == null) {
            return null;
        }
        List<@Nullable Object> elements = new ArrayList<>();
        try (ResultSet each = array.getResultSet()) {
            String elementType = each.getMetaData().getColumnTypeName(ELEMENT_COLUMN);
            if (elementType.startsWith("_")) {
                throw new TrothException(new Reason(
                        ErrorCode.TYPE_NOT_SUPPORTED,
                        "column " + column + " \"" + what.name() + "\" holds an array of more than one dimension"));
            }
            while (each.next()) {
                elements.add(scalar(each, ELEMENT_COLUMN, what.type()));
            }
        }
        return elements;
    }

    private static @Nullable String bounded(@Nullable Object value, Object minusInfinity, Object infinity) {
        if (infinity.equals(value)) {
            return INFINITY;
        }
        return minusInfinity.equals(value) ? MINUS_INFINITY : text(value);
    }

    private static @Nullable String text(@Nullable Object value) {
        return value == null ? null : value.toString();
    }
}
