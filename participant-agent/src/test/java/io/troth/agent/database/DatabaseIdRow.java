package io.troth.agent.database;

import java.lang.reflect.Proxy;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;

/** What a database that is none answers when an agent asks which one it is, and of what kind; always the same. */
public final class DatabaseIdRow {

    private DatabaseIdRow() {}

    public static ResultSet rows() {
        return (ResultSet) Proxy.newProxyInstance(
                ResultSet.class.getClassLoader(),
                new Class<?>[] {ResultSet.class},
                (self, method, arguments) -> switch (method.getName()) {
                    case "next" -> true;
                    case "getString" -> "the only one";
                    default -> null;
                });
    }

    public static DatabaseMetaData metaData() {
        return (DatabaseMetaData) Proxy.newProxyInstance(
                DatabaseMetaData.class.getClassLoader(),
                new Class<?>[] {DatabaseMetaData.class},
                (self, method, arguments) ->
                        method.getName().equals("getDatabaseProductName") ? "a database that is none" : null);
    }
}
