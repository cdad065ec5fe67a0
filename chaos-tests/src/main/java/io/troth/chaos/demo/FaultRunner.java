package io.troth.chaos.demo;

import io.troth.chaos.cluster.CoordinatorCluster;
import io.troth.chaos.cluster.CoordinatorCluster.Lead;
import io.troth.chaos.cluster.Teller;
import io.troth.chaos.process.ChildProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Makes one fault while transfers run, mends it, and says what was seen. */
final class FaultRunner {

    private static final Duration EXIT_LIMIT = Duration.ofSeconds(60);
    private static final long COMMIT_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long POLL_MILLIS = 20;
    /** So many commits show that transfers go on. */
    private static final int COMMITS = 10;

    private static final String COMMITTED_INDEX = "troth_member_committed_index";
    private static final String APPLIED_INDEX = "troth_member_applied_index";

    private final CoordinatorCluster members;
    private final Teller teller;
    private final Timeline timeline;
    private final Narrator narrator;
    private final long stretchMillis;

    FaultRunner(CoordinatorCluster members, Teller teller, Timeline timeline, Narrator narrator, long stretchMillis) {
        this.members = members;
        this.teller = teller;
        this.timeline = timeline;
        this.narrator = narrator;
        this.stretchMillis = stretchMillis;
    }

    /** Lets transfers run undisturbed for a while. */
    void calm() {
        Show.watch(narrator, teller, stretchMillis);
        narrator.progress(Show.progress(teller), true);
    }

    FaultResult play(Fault fault) {
        narrator.heading("Fault: " + fault.title());
        narrator.paragraph(fault.situation());
        awaitCommits();
        calm();
        Lead before = members.lead();
        long from = timeline.nowMillis();
        List<Verdict.Check> done = new ArrayList<>();
        switch (fault) {
            case KILL -> kill(before, done);
            case PARTITION -> cutOff(before, done);
            case PAUSE -> standStill(before, done);
            case ROLLING_RESTART -> restartAll(before, done);
        }
        Lead after = members.lead();
        long to = timeline.nowMillis();
        FaultResult result = new FaultResult(
                fault,
                from,
                to,
                before.node(),
                after.node(),
                timeline.longestGap(from, to),
                timeline.committed(from, to),
                timeline.rolledBack(from, to),
                done);
        narrator.line("  the longest time without a commit: " + Narrator.seconds(result.gapMillis())
                + "; rolled back meanwhile: " + ClusterSummary.codes(result.rolledBack()));
        return result;
    }

    private void kill(Lead leader, List<Verdict.Check> done) {
        said("kill -9 of " + leader.node() + ", which leads");
        int exit = members.process(leader.node()).kill();
        done.add(new Verdict.Check(
                Verdict.KILLED_FOR_GOOD, exit == ChildProcess.EXIT_KILLED, leader.node() + ": exit code " + exit));
        awaitNext(leader, done);
        calm();
        said("start of " + leader.node());
        members.restart(leader.node());
        members.awaitFollows(leader.node());
    }

    private void cutOff(Lead leader, List<Verdict.Check> done) {
        said("network cut around " + leader.node() + ", which leads");
        members.cutOff(leader.node());
        awaitNext(leader, done);
        members.awaitNotLeading(leader.node());
        long committed = metric(leader.node(), COMMITTED_INDEX);
        calm();
        String says = readyz(leader.node());
        narrator.line("  " + leader.node() + " says meanwhile: " + says);
        long committedLater = metric(leader.node(), COMMITTED_INDEX);
        done.add(new Verdict.Check(
                Verdict.DECIDED_NOTHING,
                says.startsWith("503 NOT_LEADER") && committedLater == committed,
                "it says " + says + "; its last decided entry was " + committed + " and is " + committedLater));
        said("network of " + leader.node() + " whole again");
        members.heal(leader.node());
        members.awaitFollows(leader.node());
    }

    private void standStill(Lead leader, List<Verdict.Check> done) {
        said("SIGSTOP of " + leader.node() + ", which leads");
        members.process(leader.node()).child().suspend();
        awaitNext(leader, done);
        calm();
        said("SIGCONT of " + leader.node());
        members.process(leader.node()).child().proceed();
        members.awaitFollows(leader.node());
    }

    /** The leader first: it has something to hand over. */
    private void restartAll(Lead leader, List<Verdict.Check> done) {
        List<String> order = new ArrayList<>(List.of(leader.node()));
        order.addAll(members.others(leader.node()));
        List<Integer> exits = new ArrayList<>();
        for (String node : order) {
            boolean leads = members.lead().node().equals(node);
            said("SIGTERM of " + node + (leads ? ", which leads" : ""));
            long last = metric(members.lead().node(), COMMITTED_INDEX);
            ChildProcess child = members.process(node).child();
            child.terminate();
            exits.add(child.awaitExit(EXIT_LIMIT));
            members.restart(node);
            members.awaitFollows(node);
            // The next one goes when this one has what was decided before.
            await("the applied entries of " + node, () -> metric(node, APPLIED_INDEX) >= last);
            said(node + " is back");
        }
        awaitCommits();
        done.add(new Verdict.Check(
                Verdict.ENDED_IN_ORDER, exits.stream().allMatch(exit -> exit == 0), "exit codes " + exits));
    }

    /** Another member leads, and transfers are committed there. */
    private void awaitNext(Lead leader, List<Verdict.Check> done) {
        Lead next = members.awaitLeadAbove(leader.epoch());
        timeline.mark(next.node() + " leads");
        awaitCommits();
        narrator.line("  " + next.node() + " leads epoch " + next.epoch() + ", and transfers are committed again");
        done.add(new Verdict.Check(
                Verdict.TAKEN_OVER,
                !next.node().equals(leader.node()) && next.epoch() > leader.epoch(),
                next.node() + " in epoch " + next.epoch() + " after " + leader.node() + " in epoch " + leader.epoch()));
    }

    private void awaitCommits() {
        long before = teller.committed();
        await("more commits", () -> teller.committed() >= before + COMMITS);
    }

    private void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + COMMIT_LIMIT_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("waited in vain for " + what);
            }
            narrator.progress(Show.progress(teller), false);
            Show.pause(POLL_MILLIS);
        }
    }

    private void said(String what) {
        long at = timeline.mark(what);
        narrator.line("  " + Narrator.seconds(at) + ": " + what);
    }

    private long metric(String node, String name) {
        try {
            return members.metric(node, name);
        } catch (IOException e) {
            throw new IllegalStateException(node + " does not answer", e);
        }
    }

    private String readyz(String node) {
        try {
            return members.readyz(node);
        } catch (IOException e) {
            throw new IllegalStateException(node + " does not answer", e);
        }
    }
}
