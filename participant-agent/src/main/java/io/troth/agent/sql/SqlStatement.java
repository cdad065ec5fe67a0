package io.troth.agent.sql;

import java.util.List;

/**
 * A statement for a resource. Its text and its values may be anything a database holds: they are never logged.
 *
 * @param sql with a question mark for each parameter
 * @param parameters by position
 */
public record SqlStatement(String resource, String sql, List<SqlParameter> parameters) {

    public SqlStatement {
        parameters = List.copyOf(parameters);
    }

    /** Shows neither text nor values. */
    @Override
    public String toString() {
        return "SqlStatement[" + resource + ", " + parameters.size() + " parameters]";
    }
}
