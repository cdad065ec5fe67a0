package io.troth.agent.sql;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a statement without a result did.
 *
 * @param count how many rows it touched
 * @param keyColumns the generated columns that were asked for
 * @param keys a row of them for each row inserted
 */
public record SqlUpdate(long count, List<SqlColumn> keyColumns, List<List<@Nullable Object>> keys) {

    public SqlUpdate {
        keyColumns = List.copyOf(keyColumns);
        keys = List.copyOf(keys);
    }
}
