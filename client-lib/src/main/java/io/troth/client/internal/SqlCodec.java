package io.troth.client.internal;

import com.google.protobuf.ByteString;
import io.troth.client.SqlParameter;
import io.troth.client.SqlType;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.SqlArray;
import io.troth.proto.v1.SqlColumn;
import io.troth.proto.v1.SqlStatement;
import io.troth.proto.v1.SqlValue;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Between Java values and those of SqlService. */
final class SqlCodec {

    private static final String INFINITY = "infinity";
    private static final String MINUS_INFINITY = "-infinity";

    private static final Map<Class<?>, SqlType> TYPES = Map.ofEntries(
            Map.entry(Boolean.class, SqlType.BOOL),
            Map.entry(Byte.class, SqlType.INT2),
            Map.entry(Short.class, SqlType.INT2),
            Map.entry(Integer.class, SqlType.INT4),
            Map.entry(Long.class, SqlType.INT8),
            Map.entry(BigDecimal.class, SqlType.NUMERIC),
            Map.entry(BigInteger.class, SqlType.NUMERIC),
            Map.entry(Float.class, SqlType.FLOAT4),
            Map.entry(Double.class, SqlType.FLOAT8),
            Map.entry(String.class, SqlType.TEXT),
            Map.entry(byte[].class, SqlType.BYTEA),
            Map.entry(LocalDate.class, SqlType.DATE),
            Map.entry(LocalTime.class, SqlType.TIME),
            Map.entry(OffsetTime.class, SqlType.TIMETZ),
            Map.entry(LocalDateTime.class, SqlType.TIMESTAMP),
            Map.entry(OffsetDateTime.class, SqlType.TIMESTAMPTZ),
            Map.entry(Instant.class, SqlType.TIMESTAMPTZ),
            Map.entry(UUID.class, SqlType.UUID),
            Map.entry(boolean.class, SqlType.BOOL),
            Map.entry(short.class, SqlType.INT2),
            Map.entry(int.class, SqlType.INT4),
            Map.entry(long.class, SqlType.INT8),
            Map.entry(float.class, SqlType.FLOAT4),
            Map.entry(double.class, SqlType.FLOAT8));

    private SqlCodec() {}

    static SqlStatement statement(String resource, String sql, List<? extends @Nullable Object> parameters) {
        return SqlStatement.newBuilder()
                .setResource(resource)
                .setSql(sql)
                .addAllParameters(parameters(parameters))
                .build();
    }

    /** @throws TrothException TYPE_NOT_SUPPORTED or INVALID_ARGUMENT, with the position and never the value */
    static List<io.troth.proto.v1.SqlParameter> parameters(List<? extends @Nullable Object> values) {
        List<io.troth.proto.v1.SqlParameter> parameters = new ArrayList<>(values.size());
        for (int i = 0; i < values.size(); i++) {
            parameters.add(parameter(i + 1, values.get(i)));
        }
        return parameters;
    }

    private static io.troth.proto.v1.SqlParameter parameter(int position, @Nullable Object value) {
        io.troth.proto.v1.SqlParameter.Builder wire = io.troth.proto.v1.SqlParameter.newBuilder();
        if (value == null) {
            return wire.build();
        }
        SqlParameter typed = value instanceof SqlParameter given ? given : inferred(position, value);
        wire.setType(toWire(typed.type())).setArray(typed.array());
        Object inner = typed.value();
        if (inner != null) {
            try {
                wire.setValue(typed.array() ? array(typed.type(), (List<?>) inner) : scalar(typed.type(), inner));
            } catch (ClassCastException | ArithmeticException e) {
                throw new TrothException(
                        new Reason(
                                ErrorCode.INVALID_ARGUMENT,
                                "parameter " + position + " of class "
                                        + inner.getClass().getName() + " is no " + typed.type()),
                        e);
            }
        }
        return wire.build();
    }

    private static SqlParameter inferred(int position, Object value) {
        Class<?> itsClass = value.getClass();
        SqlType type = TYPES.get(itsClass);
        if (type != null) {
            return new SqlParameter(type, false, value);
        }
        SqlType ofElements = itsClass.isArray() ? TYPES.get(itsClass.getComponentType()) : null;
        if (ofElements == null) {
            throw new TrothException(new Reason(
                    ErrorCode.TYPE_NOT_SUPPORTED,
                    "parameter " + position + " has class " + itsClass.getName() + "; say its type with SqlType"));
        }
        List<@Nullable Object> elements = new ArrayList<>();
        for (int i = 0; i < Array.getLength(value); i++) {
            elements.add(Array.get(value, i));
        }
        return new SqlParameter(ofElements, true, elements);
    }

    private static io.troth.proto.v1.SqlType toWire(SqlType type) {
        return switch (type) {
            case BOOL -> io.troth.proto.v1.SqlType.SQL_TYPE_BOOL;
            case INT2 -> io.troth.proto.v1.SqlType.SQL_TYPE_INT2;
            case INT4 -> io.troth.proto.v1.SqlType.SQL_TYPE_INT4;
            case INT8 -> io.troth.proto.v1.SqlType.SQL_TYPE_INT8;
            case NUMERIC -> io.troth.proto.v1.SqlType.SQL_TYPE_NUMERIC;
            case FLOAT4 -> io.troth.proto.v1.SqlType.SQL_TYPE_FLOAT4;
            case FLOAT8 -> io.troth.proto.v1.SqlType.SQL_TYPE_FLOAT8;
            case TEXT -> io.troth.proto.v1.SqlType.SQL_TYPE_TEXT;
            case BYTEA -> io.troth.proto.v1.SqlType.SQL_TYPE_BYTEA;
            case DATE -> io.troth.proto.v1.SqlType.SQL_TYPE_DATE;
            case TIME -> io.troth.proto.v1.SqlType.SQL_TYPE_TIME;
            case TIMETZ -> io.troth.proto.v1.SqlType.SQL_TYPE_TIMETZ;
            case TIMESTAMP -> io.troth.proto.v1.SqlType.SQL_TYPE_TIMESTAMP;
            case TIMESTAMPTZ -> io.troth.proto.v1.SqlType.SQL_TYPE_TIMESTAMPTZ;
            case UUID -> io.troth.proto.v1.SqlType.SQL_TYPE_UUID;
            case JSON -> io.troth.proto.v1.SqlType.SQL_TYPE_JSON;
            case JSONB -> io.troth.proto.v1.SqlType.SQL_TYPE_JSONB;
        };
    }

    private static SqlValue array(SqlType type, List<?> elements) {
        SqlArray.Builder array = SqlArray.newBuilder();
        for (Object element : elements) {
            array.addElements(element == null ? SqlValue.getDefaultInstance() : scalar(type, element));
        }
        return SqlValue.newBuilder().setArrayValue(array).build();
    }

    private static SqlValue scalar(SqlType type, Object value) {
        SqlValue.Builder wire = SqlValue.newBuilder();
        switch (type) {
            case BOOL -> wire.setBoolValue((Boolean) value);
            case INT2 -> wire.setIntValue(within(value, Short.MIN_VALUE, Short.MAX_VALUE));
            case INT4 -> wire.setIntValue(within(value, Integer.MIN_VALUE, Integer.MAX_VALUE));
            case INT8 -> wire.setIntValue(within(value, Long.MIN_VALUE, Long.MAX_VALUE));
            case FLOAT4 -> wire.setDoubleValue((Float) value);
            case FLOAT8 -> wire.setDoubleValue(value instanceof Float narrow ? narrow : (Double) value);
            case BYTEA -> wire.setBytesValue(ByteString.copyFrom((byte[]) value));
            case NUMERIC -> wire.setTextValue(decimal(value));
            case DATE -> wire.setTextValue(bounded((LocalDate) value, LocalDate.MIN, LocalDate.MAX));
            case TIMESTAMP -> wire.setTextValue(bounded((LocalDateTime) value, LocalDateTime.MIN, LocalDateTime.MAX));
            case TIMESTAMPTZ -> {
                OffsetDateTime time =
                        value instanceof Instant instant ? instant.atOffset(ZoneOffset.UTC) : (OffsetDateTime) value;
                wire.setTextValue(bounded(time, OffsetDateTime.MIN, OffsetDateTime.MAX));
            }
            case TIME -> wire.setTextValue(((LocalTime) value).toString());
            case TIMETZ -> wire.setTextValue(((OffsetTime) value).toString());
            case UUID -> wire.setTextValue(((UUID) value).toString());
            case TEXT, JSON, JSONB -> wire.setTextValue((String) value);
        }
        return wire.build();
    }

    private static long within(Object value, long least, long most) {
        if (!(value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte)) {
            throw new ClassCastException("no whole number");
        }
        long number = ((Number) value).longValue();
        if (number < least || number > most) {
            throw new ArithmeticException("out of range");
        }
        return number;
    }

    private static String decimal(Object value) {
        boolean known = value instanceof BigDecimal
                || value instanceof BigInteger
                || value instanceof Long
                || value instanceof Integer
                || value instanceof Short
                || value instanceof String;
        if (!known) {
            throw new ClassCastException("no decimal");
        }
        // With its exponent: the zeros of 1E+1000000000 have no room here, and the gateway refuses it.
        return value.toString();
    }

    private static String bounded(Object value, Object minusInfinity, Object infinity) {
        if (value.equals(infinity)) {
            return INFINITY;
        }
        return value.equals(minusInfinity) ? MINUS_INFINITY : value.toString();
    }

    /** The value in the class of its type; null for NULL. */
    static @Nullable Object fromWire(SqlColumn column, SqlValue value) {
        if (isNull(value)) {
            return null;
        }
        if (!column.getArray()) {
            return scalar(column.getType(), value);
        }
        List<@Nullable Object> elements = new ArrayList<>();
        for (SqlValue element : value.getArrayValue().getElementsList()) {
            elements.add(isNull(element) ? null : scalar(column.getType(), element));
        }
        return Collections.unmodifiableList(elements);
    }

    /** A kind of a newer peer looks as if there were none: it must not be taken for NULL. */
    private static boolean isNull(SqlValue value) {
        if (value.getKindCase() != SqlValue.KindCase.KIND_NOT_SET) {
            return false;
        }
        if (!value.getUnknownFields().asMap().isEmpty()) {
            throw new TrothException(
                    new Reason(ErrorCode.TYPE_NOT_SUPPORTED, "a value is of a kind that this build does not know"));
        }
        return true;
    }

    private static Object scalar(io.troth.proto.v1.SqlType type, SqlValue value) {
        String text = value.getTextValue();
        return switch (type) {
            case SQL_TYPE_BOOL -> value.getBoolValue();
            case SQL_TYPE_INT2 -> (short) value.getIntValue();
            case SQL_TYPE_INT4 -> (int) value.getIntValue();
            case SQL_TYPE_INT8 -> value.getIntValue();
            case SQL_TYPE_FLOAT4 -> (float) value.getDoubleValue();
            case SQL_TYPE_FLOAT8 -> value.getDoubleValue();
            case SQL_TYPE_BYTEA -> value.getBytesValue().toByteArray();
            case SQL_TYPE_NUMERIC -> isDecimal(text) ? new BigDecimal(text) : text;
            case SQL_TYPE_DATE -> infinite(text) ? limit(text, LocalDate.MIN, LocalDate.MAX) : LocalDate.parse(text);
            case SQL_TYPE_TIMESTAMP ->
                infinite(text) ? limit(text, LocalDateTime.MIN, LocalDateTime.MAX) : LocalDateTime.parse(text);
            case SQL_TYPE_TIMESTAMPTZ ->
                infinite(text) ? limit(text, OffsetDateTime.MIN, OffsetDateTime.MAX) : OffsetDateTime.parse(text);
            case SQL_TYPE_TIME -> LocalTime.parse(text);
            case SQL_TYPE_TIMETZ -> OffsetTime.parse(text);
            case SQL_TYPE_UUID -> UUID.fromString(text);
            case SQL_TYPE_TEXT, SQL_TYPE_JSON, SQL_TYPE_JSONB -> text;
            case SQL_TYPE_UNSPECIFIED, UNRECOGNIZED ->
                throw new TrothException(
                        new Reason(ErrorCode.TYPE_NOT_SUPPORTED, "this build does not know a column's type"));
        };
    }

    private static boolean isDecimal(String text) {
        char last = text.isEmpty() ? ' ' : text.charAt(text.length() - 1);
        return last >= '0' && last <= '9';
    }

    private static boolean infinite(String text) {
        return text.equals(INFINITY) || text.equals(MINUS_INFINITY);
    }

    private static Object limit(String text, Object minusInfinity, Object infinity) {
        return text.equals(INFINITY) ? infinity : minusInfinity;
    }
}
