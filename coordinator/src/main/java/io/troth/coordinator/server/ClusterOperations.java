package io.troth.coordinator.server;

import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.admin.Membership;
import io.troth.coordinator.log.raft.RaftMember;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an operator does to the cluster through its leader: one change at a time, on a thread of its own, and only when
 * what it needs is there. Thread-safe.
 */
final class ClusterOperations implements Membership, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ClusterOperations.class);

    /** Raft gives up before. */
    private static final long CHANGE_SECONDS = 60;

    /** Lets the running transactions end, and no new one begin; the leadership is then over. */
    interface Drain {
        void drain();
    }

    private final RaftMember member;
    private final Drain drain;
    /** A member that has not answered its leader for so long is away, for Raft too. */
    private final long silentMillisMax;

    private final AtomicBoolean busy = new AtomicBoolean();
    private final ExecutorService changes =
            Executors.newSingleThreadExecutor(ProcessEnvironment.threads("troth-cluster"));

    ClusterOperations(RaftMember member, Drain drain, int electionTimeoutMillis) {
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
            handOver(node);
        });
    }

    /**
     * Drains, and lets this member lead.
     *
     * @throws TrothException when it does not; then whoever can leads next, perhaps this one again
     */
    private void handOver(String node) {
        drain.drain();
        try {
            await(member.transferLeadership(node));
        } catch (CompletionException | TimeoutException e) {
            member.stepDown();
            throw new TrothException(
                    new Reason(ErrorCode.MEMBER_UNREACHABLE, node + " did not take over: " + e.getMessage()), e);
        }
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
            await(member.transferLeadership(best));
        } catch (CompletionException | TimeoutException e) {
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
            checkMajority(there(view) + 1, view.members().size() + 1);
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
            checkMajority(
                    there(view) - (isThere(view, gone) ? 1 : 0), view.members().size() - 1);
            await(member.remove(node));
        });
    }

    private interface Change {
        void make(ClusterView view) throws TimeoutException;
    }

    private CompletableFuture<Void> change(String what, String reason, Change change) {
        if (!busy.compareAndSet(false, true)) {
            return CompletableFuture.failedFuture(
                    refused(ErrorCode.CHANGE_UNDER_WAY, "this member is at one just now"));
        }
        return CompletableFuture.runAsync(
                        () -> {
                            ClusterView view = member.view();
                            if (view.role() != ClusterView.Role.LEADER) {
                                throw refused(
                                        ErrorCode.NOT_LEADER,
                                        view.leader() == null ? "nobody is known to lead" : view.leader() + " leads");
                            }
                            LOG.warn("an operator wants that {}: {}", what, reason);
                            make(change, view);
                            LOG.warn("done: {}", what);
                        },
                        changes)
                .whenComplete((done, failure) -> busy.set(false));
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

    private int there(ClusterView view) {
        return (int) view.members().stream().filter(each -> isThere(view, each)).count();
    }

    private boolean isThere(ClusterView view, ClusterView.Member each) {
        ClusterView.Contact contact = each.contact();
        return each.node().equals(view.node()) || (contact != null && contact.silentMillis() <= silentMillisMax);
    }

    private static void checkMajority(int there, int members) {
        if (2 * there <= members) {
            throw refused(ErrorCode.NO_MAJORITY, there + " of " + members + " members would be there");
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
