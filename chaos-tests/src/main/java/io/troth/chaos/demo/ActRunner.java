package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import io.troth.chaos.bank.Bank;
import io.troth.chaos.cluster.Teller;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.demo.DemoBanks.InDoubt;
import io.troth.chaos.demo.DemoOptions.Sabotage;
import io.troth.chaos.process.ChildProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Plays one act: brings a handful of transfers to the act's point, shows what the databases hold, kills, restarts, and
 * waits until nothing of it is in doubt any more.
 */
final class ActRunner {

    /** How many transfers are in flight when the process is killed. */
    static final int BURST = 4;

    private static final String NOWHERE = "-";
    private static final int TX_SHOWN = 8;
    private static final long PREPARED_WAIT_MILLIS = 5_000;
    private static final long RESOLVE_WAIT_MILLIS = 30_000;
    private static final long POLL_MILLIS = 50;

    /** What is sent or written right now gets there within this time; if not, the act just has less to show. */
    private static final long UNDER_WAY_MILLIS = 250;

    private final Stage stage;
    private final Teller teller;
    private final Narrator narrator;
    private final DemoOptions options;

    ActRunner(Stage stage, Teller teller, Narrator narrator, DemoOptions options) {
        this.stage = stage;
        this.teller = teller;
        this.narrator = narrator;
        this.options = options;
    }

    ActResult play(Act act) {
        narrator.heading("Act " + act.number() + " of 3: " + act.title());
        TrothProcess victim = stage.victim(act);
        boolean doubt = !options.has(Sabotage.NO_DOUBT);
        String reached = doubt ? bringToThePoint(act, victim) : NOWHERE;
        List<InDoubt> before = doubt ? awaitInDoubt(act) : stage.banks().inDoubt();
        narrator.paragraph(act.situation());
        show(before);

        long pid = victim.child().pid();
        int exit = victim.kill();
        String point = doubt ? act.lastPoint() : NOWHERE;
        narrator.line(
                "  kill -9 " + pid + " (" + act.victimText() + ", at the point " + point + "): exit code " + exit);
        narrator.line("  the databases still hold " + stage.banks().inDoubt().size()
                + " promises, and keep the accounts locked");
        narrator.paragraph(act.expectation());

        long started = System.nanoTime();
        victim.restart();
        narrator.line("  restart of the " + act.victimText());
        Set<String> gids =
                before.stream().map(branch -> branch.prepared().gid()).collect(Collectors.toSet());
        boolean resolved = await(
                RESOLVE_WAIT_MILLIS,
                () -> stage.banks().inDoubt().stream()
                        .noneMatch(branch -> gids.contains(branch.prepared().gid())));
        long millis = resolved ? TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started) : -1;
        victim.awaitReady();
        if (doubt) {
            teller.awaitBurstDone();
        }
        ActResult result = new ActResult(act, point, exit, endings(before, reached), before.size(), millis, 0);
        tell(result);
        return result;
    }

    /**
     * Walks the victim from point to point. While a coordinator is parked, the thread that reads and decides stands still, so
     * that all transfers of the burst gather behind the first one and go on together.
     *
     * @return the transaction that is parked at the last point, or {@link #NOWHERE}
     */
    private String bringToThePoint(Act act, TrothProcess victim) {
        List<String> points = act.points();
        awaitNothingUnderWay();
        victim.arm(points.get(0), act.arrivals(BURST));
        for (String barred : act.barred()) {
            victim.arm(barred, 1);
        }
        teller.burst(BURST);
        String tx = victim.awaitReached(points.get(0));
        for (String point : points.subList(1, points.size())) {
            Show.pause(UNDER_WAY_MILLIS);
            victim.arm(point, 1);
            if (act.gathersVotes()) {
                ChildProcess agent = stage.secondAgent().child();
                agent.suspend();
                victim.release();
                gatherVotes(act, victim.child(), agent);
            } else {
                victim.release();
            }
            tx = victim.awaitReached(point);
        }
        Show.pause(UNDER_WAY_MILLIS);
        return tx;
    }

    /**
     * The second agent's votes come while the coordinator stands still, and are there together when it goes on: one by one,
     * the first transfer could be decided, and its point be reached, before the last one has its vote.
     */
    private void gatherVotes(Act act, ChildProcess coordinator, ChildProcess agent) {
        Show.pause(UNDER_WAY_MILLIS);
        coordinator.suspend();
        agent.proceed();
        awaitInDoubt(act);
        Show.pause(UNDER_WAY_MILLIS);
        coordinator.proceed();
    }

    /**
     * An answer waits for the banks one second at most, so earlier transfers may still be told to one of them. They would
     * be the ones that come to the point, and park their agent before the act's own have come to it.
     */
    private void awaitNothingUnderWay() {
        if (!await(RESOLVE_WAIT_MILLIS, () -> stage.banks().inDoubt().isEmpty())) {
            throw new IllegalStateException(
                    "earlier transfers are still in doubt: " + stage.banks().inDoubt());
        }
    }

    /** What the databases list, as soon as they list all they will. */
    private List<InDoubt> awaitInDoubt(Act act) {
        boolean unused =
                await(PREPARED_WAIT_MILLIS, () -> stage.banks().inDoubt().size() >= act.branches(BURST));
        return stage.banks().inDoubt();
    }

    private void show(List<InDoubt> branches) {
        Map<String, Teller.Announced> transfers = teller.announced();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("database", "transfer", "transaction", "in doubt for"));
        for (InDoubt branch : branches) {
            Teller.Announced transfer = transfers.get(branch.tx());
            rows.add(List.of(
                    branch.bank(),
                    transfer == null ? NOWHERE : transfer.text(),
                    shortened(branch.tx()),
                    branch.prepared().ageMillis() + " ms"));
        }
        narrator.line(
                "  in doubt (promised, and not told how it ends), as the databases list it in pg_prepared_xacts:");
        narrator.table("    ", rows);
    }

    /** The nonce in the middle is long and always the same. */
    private static String shortened(String tx) {
        List<String> parts = List.of(tx.split("\\.", -1));
        return parts.get(0) + "." + parts.get(1) + "." + parts.get(2).substring(0, TX_SHOWN) + "..." + "."
                + String.join(".", parts.subList(3, parts.size()));
    }

    private List<ActResult.Ending> endings(List<InDoubt> before, String reached) {
        Bank.Books first = stage.banks().books(stage.banks().a());
        Bank.Books second = stage.banks().books(stage.banks().b());
        Map<String, Teller.Announced> transfers = new TreeMap<>(teller.announced());
        Set<String> txs = before.stream().map(InDoubt::tx).collect(Collectors.toCollection(TreeSet::new));
        List<ActResult.Ending> endings = new ArrayList<>();
        for (String tx : txs) {
            Teller.Announced transfer = transfers.get(tx);
            long number = transfer == null ? 0 : transfer.number();
            boolean inFirst = first.amounts().containsKey(number);
            boolean inSecond = second.amounts().containsKey(number);
            Answer.Kind ending = inFirst != inSecond
                    ? Answer.Kind.UNKNOWN
                    : inFirst ? Answer.Kind.COMMITTED : Answer.Kind.ROLLED_BACK;
            endings.add(new ActResult.Ending(tx, number, ending, tx.equals(reached)));
        }
        return endings;
    }

    private void tell(ActResult result) {
        String ended = result.resolved()
                ? "resolved " + Narrator.seconds(result.resolvedMillis()) + " after the restart: "
                : "NOT resolved: ";
        narrator.line("  " + ended + result.count(Answer.Kind.COMMITTED) + " committed in both banks, "
                + result.count(Answer.Kind.ROLLED_BACK) + " rolled back in both banks, "
                + result.count(Answer.Kind.UNKNOWN) + " different");
    }

    private static boolean await(long limitMillis, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMillis);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            Show.pause(POLL_MILLIS);
        }
        return true;
    }
}
