package io.troth.agent.xa;

import javax.sql.CommonDataSource;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.ds.common.BaseDataSource;

/** Chooses the driver for what the application configured. */
public final class ResourceDrivers {

    private ResourceDrivers() {}

    /**
     * The driver of a source of unpooled connections: PostgreSQL's own for a {@code PGSimpleDataSource} or {@code
     * PGXADataSource}.
     *
     * @param answerMillis how long prepare, commit and rollback wait for the database
     * @throws IllegalArgumentException when the source cannot take part
     */
    public static ResourceDriver of(CommonDataSource source, int answerMillis) {
        if (source instanceof BaseDataSource postgres) {
            return new PostgresDriver(unpooled(postgres), answerMillis);
        }
        throw new IllegalArgumentException(source.getClass().getName() + " cannot be a resource");
    }

    /** The same settings without pool and without the driver's XAResource. */
    private static DataSource unpooled(BaseDataSource source) {
        if (source instanceof PGSimpleDataSource simple) {
            return simple;
        }
        try {
            PGSimpleDataSource copy = new PGSimpleDataSource();
            copy.initializeFrom(source);
            return copy;
        } catch (java.io.IOException | ClassNotFoundException e) {
            throw new IllegalArgumentException(
                    "the settings of " + source.getClass().getName() + " cannot be copied", e);
        }
    }
}
