package io.troth.client.internal;

import io.troth.client.SqlRow;
import io.troth.proto.v1.SqlColumn;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A row as it came. */
final class RemoteRow implements SqlRow {

    /** Up to here every whole number is a double. */
    private static final long DOUBLE_WHOLE_MAX = 1L << 53;

    private final List<SqlColumn> columns;
    private final io.troth.proto.v1.SqlRow row;

    RemoteRow(List<SqlColumn> columns, io.troth.proto.v1.SqlRow row) {
        this.columns = columns;
        this.row = row;
    }

    @Override
    public List<String> columns() {
        return columns.stream().map(SqlColumn::getName).toList();
    }

    @Override
    public @Nullable Object get(int position) {
        if (position < 1 || position > columns.size()) {
            throw new IllegalArgumentException("there are " + columns.size() + " columns, and no " + position);
        }
        return SqlCodec.fromWire(columns.get(position - 1), row.getValues(position - 1));
    }

    @Override
    public @Nullable Object get(String column) {
        return get(position(column));
    }

    @Override
    public <T> @Nullable T get(int position, Class<T> type) {
        Object value = get(position);
        if (value == null) {
            return null;
        }
        Object converted = converted(value, type);
        if (!type.isInstance(converted)) {
            throw new IllegalArgumentException(
                    "column \"" + columns.get(position - 1).getName() + "\" is a "
                            + value.getClass().getSimpleName() + " and does not fit into a " + type.getSimpleName());
        }
        return type.cast(converted);
    }

    @Override
    public <T> @Nullable T get(String column, Class<T> type) {
        return get(position(column), type);
    }

    @Override
    public boolean getBoolean(String column) {
        return present(column, Boolean.class);
    }

    @Override
    public int getInt(String column) {
        return present(column, Integer.class);
    }

    @Override
    public long getLong(String column) {
        return present(column, Long.class);
    }

    @Override
    public double getDouble(String column) {
        return present(column, Double.class);
    }

    @Override
    public @Nullable String getString(String column) {
        return get(column, String.class);
    }

    private <T> T present(String column, Class<T> type) {
        T value = get(column, type);
        if (value == null) {
            throw new IllegalArgumentException("column \"" + column + "\" is NULL");
        }
        return value;
    }

    private int position(String column) {
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).getName().equalsIgnoreCase(column)) {
                return i + 1;
            }
        }
        throw new IllegalArgumentException("there is no column \"" + column + "\" among " + columns());
    }

    private static Object converted(Object value, Class<?> type) {
        if (type.isInstance(value)) {
            return value;
        }
        if (type == String.class && !(value instanceof byte[])) {
            return value instanceof BigDecimal digits ? digits.toPlainString() : value.toString();
        }
        if (type == Instant.class && value instanceof OffsetDateTime time) {
            return time.toInstant();
        }
        if (type == Double.class) {
            return asDouble(value);
        }
        return isWhole(value) ? number(new BigDecimal(value.toString()), type, value) : value;
    }

    /** As it was when something would be lost. A NUMERIC mostly has no double, and is refused always rather than mostly. */
    private static Object asDouble(Object value) {
        if (value instanceof Float narrow) {
            return narrow.doubleValue();
        }
        boolean fits = value instanceof Short
                || value instanceof Integer
                || (value instanceof Long number && number >= -DOUBLE_WHOLE_MAX && number <= DOUBLE_WHOLE_MAX);
        return fits ? ((Number) value).doubleValue() : value;
    }

    private static boolean isWhole(Object value) {
        return value instanceof Short
                || value instanceof Integer
                || value instanceof Long
                || value instanceof BigDecimal;
    }

    /** The number in another class where it fits; else as it was. */
    private static Object number(BigDecimal digits, Class<?> type, Object otherwise) {
        try {
            if (type == BigDecimal.class) {
                return digits;
            }
            if (type == Long.class) {
                return digits.longValueExact();
            }
            if (type == Integer.class) {
                return digits.intValueExact();
            }
            if (type == Short.class) {
                return digits.shortValueExact();
            }
            return type == BigInteger.class ? digits.toBigIntegerExact() : otherwise;
        } catch (ArithmeticException e) {
            return otherwise;
        }
    }

    /** Without the values. */
    @Override
    public String toString() {
        return "SqlRow" + columns();
    }
}
