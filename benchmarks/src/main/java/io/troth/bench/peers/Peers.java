package io.troth.bench.peers;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Environment;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The peers, each with its default settings and with the best that are still durable. */
public final class Peers {

    private static final String NARAYANA = "io.troth.bench.peers.narayana.";

    private Peers() {}

    /** Those whose libraries are on the class path: Narayana, and under the Maven profile {@code peers} all. */
    public static List<Contender> all() {
        List<Contender> peers = new ArrayList<>();
        peers.add(narayana("narayana-slots", false, false, "disk slots, 2 forced writes (record and its removal)"));
        peers.add(narayana("narayana-slots-best", false, true, "disk slots, removal not forced"));
        peers.add(narayana("narayana-journal", true, false, "Artemis journal (NIO), record and its removal forced"));
        peers.add(narayana("narayana-journal-best", true, true, "Artemis journal (NIO), removal not forced"));
        if (Bean.exists(AtomikosManager.SERVICE)) {
            peers.add(atomikos("atomikos", false, "checkpoint every 500 records"));
            peers.add(atomikos("atomikos-best", true, "checkpoint every 50,000 records"));
        }
        if (Bean.exists(BitronixManager.SERVICES)) {
            peers.add(bitronix("bitronix", false, "forces batched, all states logged, 2 MB"));
            peers.add(bitronix("bitronix-best", true, "forces batched, only the outcome logged, 64 MB"));
        }
        return peers;
    }

    /**
     * What a transaction manager is called in its Xids. Recovery rolls back what has its own name and is not in its log, and
     * Atomikos looks at the beginning only: no name may begin with another one.
     */
    private static String node(String name) {
        return name + ".";
    }

    private static Contender narayana(String name, boolean isJournal, boolean isTuned, String what) {
        return new Peer(
                name,
                "Narayana 7.3.4 embedded: " + what,
                isTuned ? 1 : 2,
                List.of("com.arjuna.", NARAYANA),
                (loader, environment, directory) ->
                        startNarayana(loader, environment, directory, node(name), isJournal, isTuned));
    }

    /** Its classes are compiled against Narayana's own, so both come from the one loader. */
    private static PeerManager startNarayana(
            ClassLoader loader,
            Environment environment,
            Path directory,
            String node,
            boolean isJournal,
            boolean isTuned)
            throws Exception {
        try {
            return (PeerManager) loader.loadClass(NARAYANA + "NarayanaManager")
                    .getConstructor(Environment.class, Path.class, String.class, boolean.class, boolean.class)
                    .newInstance(environment, directory, node, isJournal, isTuned);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** Whether the libraries of all peers are on the class path. */
    public static boolean isComplete() {
        return Bean.exists(AtomikosManager.SERVICE) && Bean.exists(BitronixManager.SERVICES);
    }

    private static Contender atomikos(String name, boolean isTuned, String what) {
        return new Peer(
                name,
                "Atomikos 6.0.0 embedded: " + what,
                2,
                List.of("com.atomikos."),
                (loader, environment, directory) ->
                        new AtomikosManager(loader, environment, directory, node(name), isTuned));
    }

    private static Contender bitronix(String name, boolean isTuned, String what) {
        return new Peer(
                name,
                "Bitronix 2.1.4 embedded: " + what,
                1,
                List.of("bitronix."),
                (loader, environment, directory) ->
                        new BitronixManager(loader, environment, directory, node(name), isTuned));
    }
}
