package io.troth.bench.peers;

import io.troth.bench.contender.Database;
import io.troth.bench.contender.Environment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import javax.sql.DataSource;
import org.postgresql.xa.PGXADataSource;

/** Bitronix in this JVM, with its pools. Its recovery runs by itself, once a minute. */
final class BitronixManager implements PeerManager {

    /** Tells whether Bitronix is on the class path. */
    static final String SERVICES = "bitronix.tm.TransactionManagerServices";

    private static final int IDLE_SECONDS = 24 * 3_600;

    private final Bean transactions;
    private final Bean.Call begin;
    private final Bean.Call commit;
    private final Bean.Call rollback;
    private final List<Bean> pools = new ArrayList<>();
    private final List<DataSource> sources = new ArrayList<>();

    /**
     * Starts it with the settings of one contender.
     *
     * @param loader of its classes, in which it is not running yet
     * @param node names this manager in its Xids
     * @param isTuned the best settings that are still durable, else the defaults
     */
    BitronixManager(ClassLoader loader, Environment environment, Path directory, String node, boolean isTuned)
            throws Exception {
        Bean configuration = Bean.of(loader, SERVICES, "getConfiguration")
                .set("serverId", node)
                .set("logPart1Filename", directory.resolve("btm1.tlog").toString())
                .set("logPart2Filename", directory.resolve("btm2.tlog").toString())
                // One JVM has one MBean of a name, and there may be another Bitronix in it.
                .set("disableJmx", true);
        // Forced writes and their batching are on by default.
        if (isTuned) {
            // Only what recovery reads: COMMITTING, forced, and COMMITTED, which is not.
            configuration.set("filterLogStatus", true);
            // The default is 2 MB; each change to the other file reads the whole log under the lock.
            configuration.set("maxLogSizeInMb", 64);
            // Both branches at once, in each phase.
            configuration.set("asynchronous2Pc", true);
        }
        for (Database database : environment.databases()) {
            Bean pool = pool(loader, database, environment.connections());
            pools.add(pool);
            sources.add((DataSource) pool.object());
        }
        transactions = Bean.of(loader, SERVICES, "getTransactionManager");
        begin = transactions.prepared("begin");
        commit = transactions.prepared("commit");
        rollback = transactions.prepared("rollback");
    }

    private static Bean pool(ClassLoader loader, Database database, int connections) throws Exception {
        Properties driver = new Properties();
        driver.setProperty("url", database.url());
        Bean pool = Bean.create(loader, "bitronix.tm.resource.jdbc.PoolingDataSource")
                .set("className", PGXADataSource.class.getName())
                .set("uniqueName", database.name())
                .set("driverProperties", driver)
                .set("minPoolSize", connections)
                .set("maxPoolSize", connections)
                // The default is a minute, after which it would connect anew while others have their turns.
                .set("maxIdleTime", IDLE_SECONDS);
        pool.call("init");
        return pool;
    }

    @Override
    public PeerTransaction begin() throws Exception {
        begin.run();
        return new DataSourceTransaction(sources, commit::run, rollback::run);
    }

    @Override
    public void stop() throws Exception {
        for (Bean pool : pools) {
            pool.call("close");
        }
        transactions.call("shutdown");
    }
}
