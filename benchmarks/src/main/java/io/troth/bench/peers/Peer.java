package io.troth.bench.peers;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Suite;
import java.nio.file.Path;
import java.util.List;

/**
 * A transaction manager with some settings.
 *
 * @param packages of its classes, which are defined anew whenever it is opened
 * @param starter starts it
 */
record Peer(String name, String description, int logForcesClaimed, List<String> packages, Starter starter)
        implements Contender {

    /** Starts a transaction manager whose classes come from {@code loader}, with its log in {@code directory}. */
    interface Starter {
        PeerManager start(ClassLoader loader, Environment environment, Path directory) throws Exception;
    }

    @Override
    public Suite suite() {
        return Suite.POSTGRES;
    }

    /** Prepare and commit. */
    @Override
    public int databaseForcesClaimed() {
        return 2;
    }

    @Override
    public Running open(Environment environment) throws Exception {
        Path directory = environment.newDirectory(name);
        ClassLoader loader = new IsolatedLoader(packages);
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        FileForces forces = new FileForces(directory);
        thread.setContextClassLoader(loader);
        try {
            return new PeerRunning(starter.start(loader, environment, directory), loader, forces);
        } catch (Exception | Error e) {
            forces.close();
            throw e;
        } finally {
            thread.setContextClassLoader(before);
        }
    }
}
