package io.troth.agent.sql;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The types that the gateway carries. Everything else is refused by name. */
public enum SqlType {
    BOOL("bool", "boolean"),
    INT2("int2", "smallint", "smallserial"),
    INT4("int4", "integer", "serial"),
    INT8("int8", "bigint", "bigserial"),
    NUMERIC("numeric", "decimal"),
    FLOAT4("float4", "real"),
    FLOAT8("float8", "double", "double precision"),
    TEXT("text", "varchar", "bpchar", "char", "name"),
    BYTEA("bytea", "varchar () for bit data"),
    DATE("date"),
    TIME("time"),
    TIMETZ("timetz"),
    TIMESTAMP("timestamp"),
    TIMESTAMPTZ("timestamptz"),
    UUID("uuid"),
    JSON("json"),
    JSONB("jsonb");

    private static final Map<String, SqlType> BY_NAME = new HashMap<>();

    static {
        for (SqlType type : values()) {
            BY_NAME.put(type.databaseName, type);
            for (String alias : type.aliases) {
                BY_NAME.put(alias, type);
            }
        }
    }

    private final String databaseName;
    private final String[] aliases;

    SqlType(String databaseName, String... aliases) {
        this.databaseName = databaseName;
        this.aliases = aliases;
    }

    /** What PostgreSQL calls it. */
    String databaseName() {
        return databaseName;
    }

    /** The type of this name in a result's description; null when the gateway does not carry it. */
    static @Nullable SqlType named(String name) {
        return BY_NAME.get(name.toLowerCase(Locale.ROOT));
    }
}
