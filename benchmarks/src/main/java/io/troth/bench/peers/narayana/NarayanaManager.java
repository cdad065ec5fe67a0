package io.troth.bench.peers.narayana;

import com.arjuna.ats.arjuna.common.CoordinatorEnvironmentBean;
import com.arjuna.ats.arjuna.common.ObjectStoreEnvironmentBean;
import com.arjuna.ats.arjuna.common.arjPropertyManager;
import com.arjuna.ats.arjuna.coordinator.TransactionReaper;
import com.arjuna.ats.arjuna.coordinator.TxControl;
import com.arjuna.ats.arjuna.objectstore.StoreManager;
import com.arjuna.ats.arjuna.recovery.RecoveryManager;
import com.arjuna.ats.internal.arjuna.objectstore.hornetq.HornetqJournalEnvironmentBean;
import com.arjuna.ats.internal.arjuna.objectstore.hornetq.HornetqObjectStoreAdaptor;
import com.arjuna.ats.internal.arjuna.objectstore.slot.SlotStoreAdaptor;
import com.arjuna.ats.internal.arjuna.objectstore.slot.SlotStoreEnvironmentBean;
import com.arjuna.ats.internal.jta.recovery.arjunacore.XARecoveryModule;
import com.arjuna.ats.jta.common.jtaPropertyManager;
import com.arjuna.ats.jta.recovery.XAResourceRecoveryHelper;
import com.arjuna.common.internal.util.propertyservice.BeanPopulator;
import io.troth.bench.contender.Database;
import io.troth.bench.contender.Environment;
import io.troth.bench.peers.PeerManager;
import io.troth.bench.peers.XaConnections;
import io.troth.bench.peers.XaConnections.Pooled;
import jakarta.transaction.TransactionManager;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;

/**
 * Narayana in this JVM: its transaction manager, its log in one of two stores, its periodic recovery. It has no pool of its
 * own, so it gets one that costs nothing.
 *
 * <p>What is not set here is what {@code jbossts-properties.xml} in Narayana's jar says.
 */
public final class NarayanaManager implements PeerManager {

    private final TransactionManager transactions;
    private final List<XaConnections> pools = new ArrayList<>();
    private final List<XaConnections> recoveryPools = new ArrayList<>();
    private final RecoveryManager recovery;
    private final @Nullable CountingDiskSlots slots;

    /**
     * Starts it with the settings of one contender.
     *
     * @param node names this manager in its Xids; recovery would roll back what another one of the same name has prepared
     * @param isJournal the journal store, else the slots on disk
     * @param isTuned the best settings that are still durable, else the defaults
     */
    public NarayanaManager(Environment environment, Path directory, String node, boolean isJournal, boolean isTuned)
            throws Exception {
        arjPropertyManager.getCoreEnvironmentBean().setNodeIdentifier(node);
        jtaPropertyManager.getJTAEnvironmentBean().setXaRecoveryNodes(List.of(node));
        String objects = directory.resolve("objects").toString();
        ObjectStoreEnvironmentBean log = BeanPopulator.getDefaultInstance(ObjectStoreEnvironmentBean.class);
        log.setObjectStoreDir(objects);
        for (String other : List.of("communicationStore", "stateStore")) {
            BeanPopulator.getNamedInstance(ObjectStoreEnvironmentBean.class, other)
                    .setObjectStoreDir(objects);
        }
        // Nobody outside of this JVM has to be told the status of a transaction; WildFly does the same.
        CoordinatorEnvironmentBean coordinator = arjPropertyManager.getCoordinatorEnvironmentBean();
        coordinator.setTransactionStatusManagerEnable(false);
        if (isTuned) {
            // Both branches at once, in each phase. On JDK 17 they share a hundred threads, the default.
            coordinator.setAsyncPrepare(true);
            coordinator.setAsyncCommit(true);
        }
        if (isJournal) {
            slots = null;
            journal(directory, isTuned);
            log.setObjectStoreType(HornetqObjectStoreAdaptor.class.getName());
        } else {
            slots = new CountingDiskSlots();
            slots(slots, directory, environment.inFlight(), isTuned);
            log.setObjectStoreType(SlotStoreAdaptor.class.getName());
        }
        recovery = startRecovery(environment.databases());
        transactions = com.arjuna.ats.jta.TransactionManager.transactionManager();
        for (Database database : environment.databases()) {
            pools.add(new XaConnections(database, environment.connections()));
        }
    }

    private static void slots(CountingDiskSlots slots, Path directory, int inFlight, boolean isTuned) {
        SlotStoreEnvironmentBean bean = BeanPopulator.getDefaultInstance(SlotStoreEnvironmentBean.class);
        bean.setStoreDir(directory.resolve("slots").toString());
        // The default are volatile slots, which are no log at all.
        bean.setBackingSlots(slots);
        // The default is 256; a transaction that finds no slot is rolled back.
        bean.setNumberOfSlots(Math.max(bean.getNumberOfSlots(), 2 * inFlight));
        if (isTuned) {
            // A record that comes back after a crash makes recovery ask once more, and nothing else.
            bean.setSyncDeletes(false);
        }
    }

    private static void journal(Path directory, boolean isTuned) {
        HornetqJournalEnvironmentBean bean = BeanPopulator.getDefaultInstance(HornetqJournalEnvironmentBean.class);
        bean.setStoreDir(directory.resolve("journal").toString());
        // libaio is not everywhere, and what it forces cannot be counted from Java; without it this is what Narayana
        // does too.
        bean.setAsyncIO(false);
        if (isTuned) {
            // As for the slots.
            bean.setSyncDeletes(false);
            // The default is 500: a record may wait 2 ms for others. This is the rate of Artemis for fast disks.
            bean.setBufferFlushesPerSecond(2000);
        }
    }

    /** The periodic recovery of an application server: a scan of log and databases every two minutes. */
    private RecoveryManager startRecovery(List<Database> databases) throws Exception {
        RecoveryManager.delayRecoveryManagerThread();
        RecoveryManager manager = RecoveryManager.manager(RecoveryManager.INDIRECT_MANAGEMENT);
        manager.initialize();
        List<XAResource> resources = new ArrayList<>();
        for (Database database : databases) {
            XaConnections pool = new XaConnections(database, 1);
            recoveryPools.add(pool);
            Pooled connection = pool.take();
            resources.add(connection.resource());
            pool.giveBack(connection);
        }
        for (var module : manager.getModules()) {
            if (module instanceof XARecoveryModule xa) {
                xa.addXAResourceRecoveryHelper(new Resources(resources));
            }
        }
        manager.startRecoveryManagerThread();
        return manager;
    }

    private record Resources(List<XAResource> resources) implements XAResourceRecoveryHelper {
        @Override
        public boolean initialise(String argument) {
            return true;
        }

        @Override
        public XAResource[] getXAResources() {
            return resources.toArray(XAResource[]::new);
        }
    }

    @Override
    public PeerTransaction begin() throws Exception {
        transactions.begin();
        return new Enlisted();
    }

    @Override
    public long unrecordedForces() {
        return slots == null ? 0 : slots.forces();
    }

    @Override
    public void stop() throws Exception {
        recovery.terminate();
        TransactionReaper.terminate(false);
        TxControl.disable(true);
        StoreManager.shutdown();
        for (XaConnections pool : pools) {
            pool.close();
        }
        for (XaConnections pool : recoveryPools) {
            pool.close();
        }
    }

    /** The connections that a transaction uses go back to their pools when it is over, since the branches are theirs until then. */
    private final class Enlisted implements PeerTransaction {

        private final @Nullable Pooled[] connections = new Pooled[pools.size()];

        @Override
        public Connection connection(int resource) throws Exception {
            Pooled connection = connections[resource];
            if (connection == null) {
                connection = pools.get(resource).take();
                connections[resource] = connection;
                if (!transactions.getTransaction().enlistResource(connection.resource())) {
                    throw new IllegalStateException("not enlisted");
                }
            }
            return connection.connection();
        }

        @Override
        public void commit() throws Exception {
            boolean isClean = false;
            try {
                transactions.commit();
                isClean = true;
            } finally {
                giveBack(isClean);
            }
        }

        @Override
        public void rollback() throws Exception {
            try {
                transactions.rollback();
            } finally {
                giveBack(false);
            }
        }

        private void giveBack(boolean isClean) throws Exception {
            for (int i = 0; i < connections.length; i++) {
                Pooled connection = connections[i];
                if (connection != null && isClean) {
                    pools.get(i).giveBack(connection);
                } else if (connection != null) {
                    pools.get(i).replace(connection);
                }
            }
        }
    }
}
