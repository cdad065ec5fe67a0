package io.troth.agent.xa;

import java.time.Clock;
import javax.sql.CommonDataSource;
import javax.sql.DataSource;
import javax.sql.XADataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.ds.common.BaseDataSource;

/** Chooses the driver for what the application configured. */
public final class ResourceDrivers {

    private ResourceDrivers() {}

    /**
     * The driver of a source of unpooled connections: PostgreSQL's own for a {@code PGSimpleDataSource} or {@code
     * PGXADataSource}, the XAResource for every other {@code XADataSource}.
     *
     * @param answerMillis how long prepare, commit and rollback wait for PostgreSQL
     * @throws IllegalArgumentException when the source cannot take part
     */
    public static ResourceDriver of(CommonDataSource source, int answerMillis) {
        if (source instanceof BaseDataSource postgres) {
            return new PostgresDriver(unpooled(postgres), answerMillis);
        }
        if (source instanceof XADataSource xa) {
            return new XaDriver(xa, false, Clock.systemUTC());
        }
        throw new IllegalArgumentException(source.getClass().getName()
                + " is not an XADataSource; only PostgreSQL takes part with an ordinary one");
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
