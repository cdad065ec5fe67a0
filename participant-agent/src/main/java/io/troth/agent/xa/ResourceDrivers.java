package io.troth.agent.xa;

import java.time.Clock;
import javax.sql.CommonDataSource;
import javax.sql.XADataSource;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.ds.common.BaseDataSource;

/** Chooses the driver for what the application configured. */
public final class ResourceDrivers {

    /** How long opening a connection may take where the application has not said it. */
    static final int LOGIN_SECONDS = 10;

    private ResourceDrivers() {}

    /**
     * The driver of a source of unpooled connections: PostgreSQL's own for a {@code PGSimpleDataSource} or {@code
     * PGXADataSource}, the XAResource for every other {@code XADataSource}. A source of PostgreSQL without a {@code
     * loginTimeout} gets one of {@value #LOGIN_SECONDS} s.
     *
     * @param answerMillis how long prepare, commit and rollback wait for PostgreSQL
     * @throws IllegalArgumentException when the source cannot take part
     */
    public static ResourceDriver of(CommonDataSource source, int answerMillis) {
        if (source instanceof BaseDataSource postgres) {
            PGSimpleDataSource unpooled = unpooled(postgres);
            boundLogin(unpooled);
            return new PostgresDriver(unpooled, answerMillis);
        }
        if (source instanceof XADataSource xa) {
            return new XaDriver(xa, false, Clock.systemUTC());
        }
        throw new IllegalArgumentException(source.getClass().getName()
                + " is not an XADataSource; only PostgreSQL takes part with an ordinary one");
    }

    /**
     * Without a limit, which is the driver's default, a server that takes the connection and then says nothing holds the
     * only thread by which a pool grows, for ever.
     */
    private static void boundLogin(PGSimpleDataSource source) {
        String limit = source.getProperty(PGProperty.LOGIN_TIMEOUT);
        if (limit == null || limit.equals(PGProperty.LOGIN_TIMEOUT.getDefaultValue())) {
            source.setLoginTimeout(LOGIN_SECONDS);
        }
    }

    /** The same settings without pool and without the driver's XAResource. */
    private static PGSimpleDataSource unpooled(BaseDataSource source) {
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
