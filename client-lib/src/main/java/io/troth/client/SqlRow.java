package io.troth.client;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One row. Columns are named without regard to case, the first of several with one name counts; positions begin at 1, as
 * in JDBC. Immutable.
 *
 * <p>Every getter throws {@link IllegalArgumentException} when there is no such column, or when its value does not fit
 * without loss; the getters of primitive types also for NULL.
 */
public interface SqlRow {

    /** The columns' names in order. */
    List<String> columns();

    /** The value in the class of its {@link SqlType}; a {@code List} for an array; null for NULL. */
    @Nullable
    Object get(int position);

    /** As {@link #get(int)}. */
    @Nullable
    Object get(String column);

    /**
     * The value as one of this class: that of its type, a wider number, {@code Instant} for a TIMESTAMPTZ, or
     * {@code String} for anything.
     */
    <T> @Nullable T get(int position, Class<T> type);

    /** As {@link #get(int, Class)}. */
    <T> @Nullable T get(String column, Class<T> type);

    /** The value of a BOOL. */
    boolean getBoolean(String column);

    /** A whole number that fits. */
    int getInt(String column);

    /** A whole number that fits. */
    long getLong(String column);

    /** A number that fits without loss; a NUMERIC is refused always. */
    double getDouble(String column);

    /** Null for NULL. */
    @Nullable
    String getString(String column);
}
