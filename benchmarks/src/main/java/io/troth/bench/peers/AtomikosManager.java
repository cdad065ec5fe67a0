package io.troth.bench.peers;

import io.troth.bench.contender.Database;
import io.troth.bench.contender.Environment;
import jakarta.transaction.TransactionManager;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.sql.DataSource;

/** Atomikos in this JVM, with its pools. Its recovery runs by itself. */
final class AtomikosManager implements PeerManager {

    /** Tells whether Atomikos is on the class path. */
    static final String SERVICE = "com.atomikos.icatch.config.UserTransactionServiceImp";

    private static final String PREFIX = "com.atomikos.icatch.";

    /** Atomikos looks for an older SLF4J and then takes this; held, because the JVM forgets what nobody holds. */
    private static final Logger LOG = Logger.getLogger("com.atomikos");

    private final Bean service;
    private final TransactionManager transactions;
    private final List<Bean> pools = new ArrayList<>();
    private final List<DataSource> sources = new ArrayList<>();

    /**
     * Starts it with the settings of one contender.
     *
     * @param loader of its classes, in which it is not running yet
     * @param node names this manager in its Xids
     * @param isTuned the best settings that are still durable, else the defaults
     */
    AtomikosManager(ClassLoader loader, Environment environment, Path directory, String node, boolean isTuned)
            throws Exception {
        LOG.setLevel(Level.WARNING);
        // Else it advertises on the standard output, where the table goes; there it also tells how it looks for a
        // logger.
        System.setProperty(PREFIX + "registered", "true");
        PrintStream out = System.out;
        System.setOut(System.err);
        try {
            Class.forName("com.atomikos.logging.LoggerFactory", true, loader);
        } finally {
            System.setOut(out);
        }
        service = Bean.create(loader, SERVICE);
        service.call("init", settings(directory, node, environment.inFlight(), isTuned));
        Bean manager = Bean.create(loader, "com.atomikos.icatch.jta.UserTransactionManager")
                .set("startupTransactionService", false);
        manager.call("init");
        transactions = (TransactionManager) manager.object();
        for (Database database : environment.databases()) {
            Bean pool = Bean.create(loader, "com.atomikos.jdbc.AtomikosDataSourceBean")
                    .set("uniqueResourceName", database.name())
                    .set("xaDataSource", XaConnections.dataSource(database))
                    // The default is one connection.
                    .set("poolSize", environment.connections());
            pool.call("init");
            pools.add(pool);
            sources.add((DataSource) pool.object());
        }
    }

    private static Properties settings(Path directory, String node, int inFlight, boolean isTuned) {
        Properties settings = new Properties();
        settings.setProperty(PREFIX + "log_base_dir", directory.toString());
        settings.setProperty(PREFIX + "tm_unique_name", node);
        // The default is 50; one more is refused.
        settings.setProperty(PREFIX + "max_actives", Integer.toString(Math.max(50, 2 * inFlight)));
        if (isTuned) {
            // The default is 500 records, after which the log is written anew under the lock that every transaction
            // needs.
            settings.setProperty(PREFIX + "checkpoint_interval", "50000");
        }
        return settings;
    }

    @Override
    public PeerTransaction begin() throws Exception {
        transactions.begin();
        return new DataSourceTransaction(sources, transactions::commit, transactions::rollback);
    }

    @Override
    public void stop() throws Exception {
        for (Bean pool : pools) {
            pool.call("close");
        }
        service.call("shutdown", false);
    }
}
