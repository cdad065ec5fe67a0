package io.troth.agent.grpc;

import com.google.protobuf.ByteString;
import io.troth.agent.sql.SqlColumn;
import io.troth.agent.sql.SqlParameter;
import io.troth.agent.sql.SqlStatement;
import io.troth.agent.sql.SqlType;
import io.troth.agent.sql.SqlUpdate;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.ExecuteResponse;
import io.troth.proto.v1.SqlArray;
import io.troth.proto.v1.SqlRow;
import io.troth.proto.v1.SqlValue;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Between the gateway's words and those of the wire. What comes in wrong throws INVALID_ARGUMENT. */
final class SqlWireCodec {

    private SqlWireCodec() {}

    static SqlStatement statement(io.troth.proto.v1.SqlStatement statement) {
        return new SqlStatement(statement.getResource(), statement.getSql(), parameters(statement.getParametersList()));
    }

    static List<SqlParameter> parameters(List<io.troth.proto.v1.SqlParameter> wire) {
        List<SqlParameter> parameters = new ArrayList<>(wire.size());
        for (int i = 0; i < wire.size(); i++) {
            parameters.add(parameter(i + 1, wire.get(i)));
        }
        return parameters;
    }

    private static SqlParameter parameter(int position, io.troth.proto.v1.SqlParameter wire) {
        if (wire.getType() == io.troth.proto.v1.SqlType.UNRECOGNIZED) {
            throw new TrothException(new Reason(
                    ErrorCode.TYPE_NOT_SUPPORTED, "parameter " + position + " has type number " + wire.getTypeValue()));
        }
        SqlType type = type(wire.getType());
        SqlValue value = wire.getValue();
        if (isNull(value)) {
            return new SqlParameter(type, wire.getArray(), null);
        }
        if (type == null) {
            throw invalid(position, "has no type");
        }
        boolean isArray = value.hasArrayValue();
        if (isArray != wire.getArray()) {
            throw invalid(position, isArray ? "is an array and does not say so" : "says array and is none");
        }
        return new SqlParameter(
                type, isArray, isArray ? array(position, type, value.getArrayValue()) : scalar(position, type, value));
    }

    private static List<@Nullable Object> array(int position, SqlType type, SqlArray array) {
        List<@Nullable Object> elements = new ArrayList<>(array.getElementsCount());
        for (SqlValue element : array.getElementsList()) {
            elements.add(isNull(element) ? null : scalar(position, type, element));
        }
        return elements;
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

    private static Object scalar(int position, SqlType type, SqlValue value) {
        SqlValue.KindCase wanted = kind(type);
        if (value.getKindCase() != wanted) {
            throw invalid(position, "is a " + value.getKindCase() + " where " + type + " wants a " + wanted);
        }
        return switch (wanted) {
            case BOOL_VALUE -> value.getBoolValue();
            case INT_VALUE -> value.getIntValue();
            case DOUBLE_VALUE -> value.getDoubleValue();
            case TEXT_VALUE -> value.getTextValue();
            case BYTES_VALUE -> value.getBytesValue().toByteArray();
            case ARRAY_VALUE, KIND_NOT_SET -> throw invalid(position, "has no value");
        };
    }

    private static SqlValue.KindCase kind(SqlType type) {
        return switch (type) {
            case BOOL -> SqlValue.KindCase.BOOL_VALUE;
            case INT2, INT4, INT8 -> SqlValue.KindCase.INT_VALUE;
            case FLOAT4, FLOAT8 -> SqlValue.KindCase.DOUBLE_VALUE;
            case BYTEA -> SqlValue.KindCase.BYTES_VALUE;
            case NUMERIC, TEXT, DATE, TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ, UUID, JSON, JSONB ->
                SqlValue.KindCase.TEXT_VALUE;
        };
    }

    static ExecuteResponse response(SqlUpdate update, String branches) {
        ExecuteResponse.Builder response =
                ExecuteResponse.newBuilder().setBranches(branches).setUpdateCount(update.count());
        response.addAllKeyColumns(columns(update.keyColumns()));
        update.keys().forEach(key -> response.addKeys(row(key)));
        return response.build();
    }

    static List<io.troth.proto.v1.SqlColumn> columns(List<SqlColumn> columns) {
        return columns.stream()
                .map(column -> io.troth.proto.v1.SqlColumn.newBuilder()
                        .setName(column.name())
                        .setType(type(column.type()))
                        .setArray(column.array())
                        .build())
                .toList();
    }

    static SqlRow row(List<@Nullable Object> values) {
        SqlRow.Builder row = SqlRow.newBuilder();
        for (Object value : values) {
            row.addValues(value(value));
        }
        return row.build();
    }

    private static SqlValue value(@Nullable Object value) {
        SqlValue.Builder wire = SqlValue.newBuilder();
        if (value instanceof Boolean bool) {
            wire.setBoolValue(bool);
        } else if (value instanceof Long number) {
            wire.setIntValue(number);
        } else if (value instanceof Double number) {
            wire.setDoubleValue(number);
        } else if (value instanceof byte[] bytes) {
            wire.setBytesValue(ByteString.copyFrom(bytes));
        } else if (value instanceof List<?> elements) {
            SqlArray.Builder array = SqlArray.newBuilder();
            elements.forEach(element -> array.addElements(value(element)));
            wire.setArrayValue(array);
        } else if (value instanceof String text) {
            wire.setTextValue(text);
        } else if (value != null) {
            throw new IllegalArgumentException("no value of the gateway: " + value.getClass());
        }
        return wire.build();
    }

    private static io.troth.proto.v1.SqlType type(SqlType type) {
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

    private static @Nullable SqlType type(io.troth.proto.v1.SqlType type) {
        return switch (type) {
            case SQL_TYPE_UNSPECIFIED, UNRECOGNIZED -> null;
            case SQL_TYPE_BOOL -> SqlType.BOOL;
            case SQL_TYPE_INT2 -> SqlType.INT2;
            case SQL_TYPE_INT4 -> SqlType.INT4;
            case SQL_TYPE_INT8 -> SqlType.INT8;
            case SQL_TYPE_NUMERIC -> SqlType.NUMERIC;
            case SQL_TYPE_FLOAT4 -> SqlType.FLOAT4;
            case SQL_TYPE_FLOAT8 -> SqlType.FLOAT8;
            case SQL_TYPE_TEXT -> SqlType.TEXT;
            case SQL_TYPE_BYTEA -> SqlType.BYTEA;
            case SQL_TYPE_DATE -> SqlType.DATE;
            case SQL_TYPE_TIME -> SqlType.TIME;
            case SQL_TYPE_TIMETZ -> SqlType.TIMETZ;
            case SQL_TYPE_TIMESTAMP -> SqlType.TIMESTAMP;
            case SQL_TYPE_TIMESTAMPTZ -> SqlType.TIMESTAMPTZ;
            case SQL_TYPE_UUID -> SqlType.UUID;
            case SQL_TYPE_JSON -> SqlType.JSON;
            case SQL_TYPE_JSONB -> SqlType.JSONB;
        };
    }

    private static TrothException invalid(int position, String what) {
        return new TrothException(new Reason(ErrorCode.INVALID_ARGUMENT, "parameter " + position + " " + what));
    }
}
