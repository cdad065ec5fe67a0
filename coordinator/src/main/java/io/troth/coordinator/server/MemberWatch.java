package io.troth.coordinator.server;

import io.troth.coordinator.admin.ClusterView;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says once that a follower does not answer its leader any more, and once that it does again. One thread at a time. */
final class MemberWatch {

    private static final Logger LOG = LoggerFactory.getLogger(MemberWatch.class);

    /** So many times as long as Raft waits before it takes a member for away: nobody wants to read of a hiccup. */
    private static final long PATIENCE_FACTOR = 3;

    private final long silentMillisMax;
    private final LongSupplier nanoTime;
    private final Set<String> silent = new TreeSet<>();
    private long lookedNanos;

    MemberWatch(int electionTimeoutMillis, LongSupplier nanoTime) {
        silentMillisMax = PATIENCE_FACTOR * 2 * electionTimeoutMillis;
        this.nanoTime = nanoTime;
        lookedNanos = nanoTime.getAsLong();
    }

    /** Looks at what this member knows now; to be called more often than it may be silent. */
    void look(ClusterView view) {
        long now = nanoTime.getAsLong();
        boolean stoodStill = now - lookedNanos > TimeUnit.MILLISECONDS.toNanos(silentMillisMax);
        lookedNanos = now;
        if (stoodStill) {
            // It was this process that did not hear, so nothing is known of the others.
            return;
        }
        silent.retainAll(view.members().stream()
                .filter(member -> member.contact() != null)
                .map(ClusterView.Member::node)
                .collect(Collectors.toSet()));
        for (ClusterView.Member member : view.members()) {
            ClusterView.Contact contact = member.contact();
            if (contact == null) {
                continue;
            }
            if (contact.silentMillis() <= silentMillisMax) {
                if (silent.remove(member.node())) {
                    LOG.info("member {} answers again", member.node());
                }
            } else if (silent.add(member.node())) {
                LOG.warn(
                        "member {} at {} does not answer; {} of {} members are left. Start it, or look at the network",
                        member.node(),
                        member.address(),
                        view.members().size() - silent.size(),
                        view.members().size());
            }
        }
    }
}
