package io.troth.bench.peers;

import io.troth.bench.contender.Database;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import io.troth.bench.peers.PeerManager.PeerTransaction;
import java.io.IOException;

/** Runs work with a peer as an application does: begin, the statements, commit, all on the caller's thread. */
final class PeerRunning implements Running {

    private final PeerManager manager;
    private final ClassLoader loader;
    private final FileForces forces;

    /**
     * @param loader of the peer's classes; peers look up some of them by name in the context class loader, at any time
     * @param forces of the directory where its log is; closed with this
     */
    PeerRunning(PeerManager manager, ClassLoader loader, FileForces forces) {
        this.manager = manager;
        this.loader = loader;
        this.forces = forces;
    }

    @Override
    public void run(Work work) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            runHere(work);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private void runHere(Work work) throws Exception {
        PeerTransaction transaction = manager.begin();
        try {
            for (Step step : work.steps()) {
                Database.run(step, transaction.connection(step.resource()));
            }
        } catch (Exception | Error e) {
            try {
                transaction.rollback();
            } catch (Exception second) {
                e.addSuppressed(second);
            }
            throw e;
        }
        transaction.commit();
    }

    @Override
    public long forcedWrites() {
        // The quick one first: both are to be of the same moment.
        long unrecorded = manager.unrecordedForces();
        return unrecorded + forces.count();
    }

    @Override
    public void close() throws IOException {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            manager.stop();
        } catch (Exception e) {
            throw new IOException("the peer did not stop", e);
        } finally {
            forces.close();
            thread.setContextClassLoader(before);
        }
    }
}
