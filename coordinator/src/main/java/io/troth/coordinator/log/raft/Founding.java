package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.core.ClusterId;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a member that has never taken part finds out, before Raft begins, what it is. It asks everybody whom its
 * configuration names, until it knows one of these:
 *
 * <ul>
 *   <li>All of them are new. They are the founders of a new cluster: the first configuration is who they are, disks
 *       included. Whoever knows it writes it down before it takes part, and tells the others.
 *   <li>Somebody knows a configuration with this very member: it is a founder, too.
 *   <li>Somebody knows a configuration in which another disk has its name: it has lost its disk, or copies somebody, and
 *       must not start.
 *   <li>Somebody knows a configuration without it: it waits outside to be taken in.
 * </ul>
 *
 * One thread.
 */
final class Founding {

    private static final Logger LOG = LoggerFactory.getLogger(Founding.class);

    private static final long ASK_MILLIS = 2_000;
    private static final long PAUSE_MILLIS = 50;
    private static final long PAUSES_PER_LINE = 100;

    private final RaftSettings settings;
    private final ClusterId cluster;
    private final MemberId own;
    private final @Nullable MemberTls tls;

    /** {@code tls} is null for plaintext. */
    Founding(RaftSettings settings, MemberId own, @Nullable MemberTls tls) {
        this.settings = settings;
        this.cluster = Objects.requireNonNull(settings.log().cluster());
        this.own = own;
        this.tls = tls;
    }

    /**
     * Waits until it is known.
     *
     * @return the founders, this member included; empty when it has to wait outside
     * @throws LogRefusedException when it must not start
     * @throws IOException a BindException when it cannot listen; or the thread was interrupted
     */
    List<MemberId> run() throws IOException {
        if (settings.nodes().size() == 1) {
            return List.of(own);
        }
        Server server = listen();
        try {
            for (long pauses = 0; ; pauses++) {
                Map<String, Introduction> answers = new TreeMap<>();
                List<String> silent = ask(answers);
                List<MemberId> found = conclude(answers, silent.isEmpty());
                if (found != null) {
                    return found;
                }
                if (pauses % PAUSES_PER_LINE == 0) {
                    LOG.info("this member is new; it waits for {} to be started for the first time", silent);
                }
                pause();
            }
        } finally {
            server.shutdownNow();
            awaitEnd(server);
        }
    }

    private Server listen() throws BindException {
        String address = Objects.requireNonNull(settings.nodes().get(settings.node()));
        int colon = address.lastIndexOf(':');
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress(
                        address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))))
                .directExecutor()
                .addService(Introductions.service(() -> new Introduction(cluster, own, true, List.of())));
        if (tls != null) {
            builder.sslContext(tls.server());
        }
        try {
            return builder.build().start();
        } catch (IOException e) {
            throw RaftMember.cannotListen(e);
        }
    }

    /** Fills the answers in; who has not answered, and why. */
    private List<String> ask(Map<String, Introduction> answers) {
        List<String> silent = new ArrayList<>();
        settings.nodes().forEach((node, address) -> {
            if (node.equals(own.node())) {
                return;
            }
            try {
                Introduction answer = Introductions.ask(address, tls, ASK_MILLIS);
                check(node, address, answer);
                answers.put(node, answer);
            } catch (IOException e) {
                silent.add(node + " (" + e.getMessage() + ")");
            }
        });
        return silent;
    }

    private void check(String node, String address, Introduction answer) {
        if (!answer.cluster().equals(cluster) || !answer.id().node().equals(node)) {
            throw new LogRefusedException(
                    LogRefusal.FOREIGN_MEMBER,
                    settings.log().directory(),
                    "at " + address + ", where " + node + " of cluster " + cluster + " should be, is "
                            + answer.id().node() + " of cluster " + answer.cluster());
        }
    }

    /** Null when it is not known yet. */
    private @Nullable List<MemberId> conclude(Map<String, Introduction> answers, boolean complete) {
        boolean outside = false;
        for (Map.Entry<String, Introduction> answer : answers.entrySet()) {
            List<MemberId> members = answer.getValue().members();
            if (members.contains(own)) {
                return members;
            }
            for (MemberId member : members) {
                if (member.node().equals(own.node())) {
                    throw new LogRefusedException(
                            LogRefusal.MEMBER_LOST,
                            settings.log().directory(),
                            answer.getKey() + " knows a member " + own.node() + " with another disk");
                }
            }
            outside |= !members.isEmpty();
        }
        if (outside) {
            return List.of();
        }
        if (!complete || answers.values().stream().anyMatch(answer -> !answer.isNew())) {
            return null;
        }
        List<MemberId> founders = new ArrayList<>();
        founders.add(own);
        answers.values().forEach(answer -> founders.add(answer.id()));
        return founders;
    }

    private static void pause() throws IOException {
        try {
            // Nobody counts it down: a pause without a thread that sleeps unseen by a debugger or an interrupt.
            boolean unused = new CountDownLatch(1).await(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted before the other members were there", e);
        }
    }

    private static void awaitEnd(Server server) throws IOException {
        try {
            server.awaitTermination(ASK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
