package io.troth.chaos.sim.database;

import java.lang.reflect.Proxy;
import java.sql.ResultSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Stand-ins for the wide interfaces of JDBC: only what is called is there, and any other call is loud. */
final class Standins {

    private Standins() {}

    /** Answers calls by the method's name. */
    @FunctionalInterface
    interface Calls {
        @Nullable
        Object call(String method, @Nullable Object[] arguments) throws Exception;
    }

    /**
     * An object of the interface.
     *
     * @param hash its hash code, so that no address of memory has a say in anything
     */
    static <T> T of(Class<T> type, long hash, Calls calls) {
        Object standin = Proxy.newProxyInstance(
                Standins.class.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> switch (method.getName()) {
                    case "equals" -> arguments != null && self == arguments[0];
                    case "hashCode" -> Long.hashCode(hash);
                    case "toString" -> type.getSimpleName() + " " + hash;
                    default -> calls.call(method.getName(), arguments == null ? new Object[0] : arguments);
                });
        return type.cast(standin);
    }

    static UnsupportedOperationException notThere(String what, String method) {
        return new UnsupportedOperationException("the simulated " + what + " has no " + method);
    }

    /** A result with these rows; columns count from 1. */
    static ResultSet rows(List<List<Object>> rows) {
        int[] at = {-1};
        return of(ResultSet.class, 0, (method, arguments) -> switch (method) {
            case "next" -> ++at[0] < rows.size();
            case "close" -> null;
            case "getString" -> {
                Object value = rows.get(at[0]).get(column(arguments));
                yield value == null ? null : value.toString();
            }
            case "getLong" -> number(rows.get(at[0]), arguments).longValue();
            case "getInt" -> number(rows.get(at[0]), arguments).intValue();
            case "getBoolean" -> rows.get(at[0]).get(column(arguments));
            default -> throw notThere("result", method);
        });
    }

    private static Number number(List<Object> row, @Nullable Object[] arguments) {
        Object value = row.get(column(arguments));
        return value instanceof Number number ? number : Long.valueOf(String.valueOf(value));
    }

    private static int column(@Nullable Object[] arguments) {
        return (Integer) Objects.requireNonNull(arguments[0]) - 1;
    }
}
