package io.troth.coordinator.server;

import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.admin.Membership;
import io.troth.coordinator.admin.OwnMember;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an operator does to the cluster through its leader: one change at a time, on a thread of its own, and only when
 * what it needs is there. Thread-safe.
 */
final class ClusterOperations implements Membership, AutoCloseable {

    /** Who was there when a transfer began is not given up for a hiccup: so many times as long. */
    private static final long GONE_FACTOR = 3;

    private static final Logger LOG = LoggerFactory.getLogger(ClusterOperations.class);

    /** Raft gives up before. */
    private static final long CHANGE_SECONDS = 60;

    /** While the leadership is handed over, this is how often is looked whether there still is anybody to take it. */
    private static final long LOOK_MILLIS = 50;

    /** Lets the running transactions end, and no new one begin; the leadership is then over. */
    interface Drain {
        void drain();
    }

    private final OwnMember member;
    private final Drain drain;
    /** A member that has not answered its leader for so long is away, for Raft too. */
    private final long silentMillisMax;

    /** The change that is under way, in words; null when there is none. */
    private final AtomicReference<@Nullable String> underWay = new AtomicReference<>();

    private final ExecutorService changes =
            Executors.newSingleThreadExecutor(ProcessEnvironment.threads("troth-cluster"));

    ClusterOperations(OwnMember member, Drain drain, int electionTimeoutMillis) {
        this.member = member;
        this.drain = drain;
        silentMillisMax = 2L * electionTimeoutMillis;
    }

    @Override
    public ClusterView view() {
        return member.view();
    }

    @Override
    public CompletableFuture<Void> transfer(String node, String reason) {
        return change("the leadership goes to " + node, reason, view -> {
            ClusterView.Member to = known(view, node);
            if (node.equals(view.node())) {
                throw refused(ErrorCode.INVALID_ARGUMENT, node + " leads already");
            }
            if (!isThere(view, to)) {
                throw refused(ErrorCode.MEMBER_UNREACHABLE, node + " has not answered for too long");
            }
            handOver(node, view.term());
        });
    }

    /**
     * Drains, and lets this member lead.
     *
     * @param term in which this one leads
     * @throws TrothException when it does not; then whoever can leads next, perhaps this one again
     */
    private void handOver(String node, long term) {
        drain.drain();
        try {
            letLead(node);
        } catch (RuntimeException | TimeoutException e) {
            // Nobody serves here any more, whatever it was; but if this one leads again, somebody does.
            member.stepDown(term);
            throw new TrothException(
                    new Reason(ErrorCode.MEMBER_UNREACHABLE, node + " did not take over: " + e.getMessage()), e);
        }
    }

    /**
     * Lets a member lead. Raft waits for some seconds for one that does not answer any more; this does not.
     *
     * @throws TimeoutException when it has gone, or nobody is left who could make it the leader
     */
    private void letLead(String node) throws TimeoutException {
        long term = member.view().term();
        CompletableFuture<Void> done = member.transferLeadership(node);
        long goneMillis = GONE_FACTOR * silentMillisMax;
        long unknownMillis = 0;
        while (!done.isDone()) {
            ClusterView view = member.view();
            ClusterView.Member to = view.member(node);
            ClusterView.Contact contact = to == null ? null : to.contact();
            // Between two terms it is not known for a moment; in a later one there is a candidate, who must be there.
            unknownMillis = contact == null && view.term() == term ? unknownMillis + LOOK_MILLIS : 0;
            if (unknownMillis > goneMillis || (contact != null && contact.silentMillis() > goneMillis)) {
                throw new TimeoutException(node + " has gone");
            }
            done.handle((led, failure) -> null)
                    .completeOnTimeout(null, LOOK_MILLIS, TimeUnit.MILLISECONDS)
                    .join();
        }
        await(done);
    }

    /** For a member that stops: the follower that has most of the log leads next, if one is there. */
    void handOverToAnybody() {
        ClusterView view = member.view();
        String best = null;
        long most = Long.MIN_VALUE;
        for (ClusterView.Member each : view.members()) {
            ClusterView.Contact contact = each.contact();
            if (contact != null && isThere(view, each) && contact.matchedIndex() > most) {
                most = contact.matchedIndex();
                best = each.node();
            }
        }
        if (best == null) {
            LOG.info("nobody is there to take over");
            return;
        }
        try {
            letLead(best);
        } catch (RuntimeException | TimeoutException e) {
            LOG.info("{} does not take over: {}", best, e.toString());
        }
    }

    @Override
    public CompletableFuture<Void> add(String node, String address, @Nullable String endpoint, String reason) {
        return change("member " + node + " is added at " + address, reason, view -> {
            for (ClusterView.Member each : view.members()) {
                if (each.node().equals(node) || each.address().equals(address)) {
                    throw refused(ErrorCode.MEMBER_EXISTS, each.node() + " at " + each.address());
                }
            }
            checkMajority(view, view.members().size() + 1, 1);
            await(member.add(node, address, endpoint));
        });
    }

    @Override
    public CompletableFuture<Void> remove(String node, String reason) {
        return change("member " + node + " is removed", reason, view -> {
            ClusterView.Member gone = known(view, node);
            if (view.members().size() == 1) {
                throw refused(ErrorCode.LAST_MEMBER, node + " is the only one");
            }
            if (node.equals(view.node())) {
                throw refused(ErrorCode.INVALID_ARGUMENT, node + " leads: transfer the leadership first");
            }
            checkMajority(view, view.members().size() - 1, isThere(view, gone) ? -1 : 0);
            await(member.remove(node));
        });
    }

    private interface Change {
        void make(ClusterView view) throws TimeoutException;
    }

    private CompletableFuture<Void> change(String what, String reason, Change change) {
        String before = underWay.compareAndExchange(null, what);
        if (before != null) {
            return CompletableFuture.failedFuture(refused(ErrorCode.CHANGE_UNDER_WAY, "not done yet: " + before));
        }
        return CompletableFuture.runAsync(
                        () -> {
                            ClusterView view = member.view();
                            if (view.role() != ClusterView.Role.LEADER) {
                                throw refused(ErrorCode.NOT_LEADER, whoLeads(view));
                            }
                            LOG.warn("an operator wants that {}: {}", what, reason);
                            make(change, view);
                            LOG.warn("done: {}", what);
                        },
                        changes)
                .whenComplete((done, failure) -> underWay.set(null));
    }

    private static String whoLeads(ClusterView view) {
        String node = view.leader();
        ClusterView.Member its = node == null ? null : view.member(node);
        return node == null ? "nobody is known to lead" : leads(node, its == null ? null : its.endpoint());
    }

    /** Who leads, and where clients and operators reach it, when that is known. */
    static String leads(String node, @Nullable String endpoint) {
        return node + " leads" + (endpoint == null ? "" : ", at " + endpoint);
    }

    private static void make(Change change, ClusterView view) {
        try {
            change.make(view);
        } catch (TimeoutException e) {
            throw new TrothException(new Reason(ErrorCode.OUTCOME_UNKNOWN, "not done in time; look again"), e);
        }
    }

    private static void await(CompletableFuture<Void> done) throws TimeoutException {
        try {
            done.orTimeout(CHANGE_SECONDS, TimeUnit.SECONDS).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TimeoutException timeout) {
                throw timeout;
            }
            if (e.getCause() instanceof TrothException known) {
                throw known;
            }
            throw e;
        }
    }

    private static ClusterView.Member known(ClusterView view, String node) {
        ClusterView.Member found = view.member(node);
        if (found == null) {
            throw refused(ErrorCode.UNKNOWN_MEMBER, node);
        }
        return found;
    }

    private boolean isThere(ClusterView view, ClusterView.Member each) {
        ClusterView.Contact contact = each.contact();
        return each.node().equals(view.node()) || (contact != null && contact.silentMillis() <= silentMillisMax);
    }

    /**
     * @param members so many there would be
     * @param more so many more of them would be there than now
     */
    private void checkMajority(ClusterView view, int members, int more) {
        List<String> away = view.members().stream()
                .filter(each -> !isThere(view, each))
                .map(ClusterView.Member::node)
                .toList();
        int there = view.members().size() - away.size() + more;
        if (2 * there <= members) {
            throw refused(
                    ErrorCode.NO_MAJORITY,
                    there + " of " + members + " members would be there; these do not answer now: " + away);
        }
    }

    private static TrothException refused(ErrorCode code, String detail) {
        return new TrothException(new Reason(code, detail));
    }

    @Override
    public void close() {
        changes.shutdownNow();
    }
}
