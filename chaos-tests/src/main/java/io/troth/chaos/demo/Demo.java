package io.troth.chaos.demo;

import io.troth.chaos.bank.TransferRunner;
import io.troth.chaos.cluster.Teller;
import io.troth.chaos.demo.DemoOptions.Sabotage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The demo with one coordinator: opens the stage, lets transfers run, plays the acts, and judges. */
final class Demo extends Show {

    private final DemoOptions options;

    /**
     * A run that has not begun.
     *
     * @param binaries where the database programs are unpacked; null for the run's own directory
     */
    Demo(DemoOptions options, Narrator narrator, @Nullable Path binaries) {
        super(narrator, binaries);
        this.options = options;
    }

    @Override
    Verdict run() {
        long began = System.nanoTime();
        Stage opened = open();
        Teller teller = new Teller(opened.client());
        long money = opened.banks().money();
        narrator.line(
                "  " + money + " in " + 2 * options.accounts() + " accounts of two banks; the sum must never change.");

        narrator.heading("Transfers");
        narrator.paragraph(
                "Each takes money from an account of one bank and gives it to one of the other: one transaction over two"
                        + " databases. A transfer that would overdraw an account is rolled back in both.");
        long before = stretch(teller);
        narrator.line("  " + before + " committed so far");

        ActRunner runner = new ActRunner(opened, teller, narrator, options);
        List<ActResult> acts = new ArrayList<>();
        for (Act act : options.acts()) {
            ActResult result = runner.play(act);
            long committed = options.has(Sabotage.NOTHING_AFTERWARDS) ? 0 : stretch(teller);
            narrator.line("  transfers go on: " + committed + " more committed");
            acts.add(result.withCommittedAfterwards(committed));
        }
        sabotage(options.sabotages(), opened.banks(), teller);
        Verdict verdict = Verdict.of(acts, rest(opened.banks(), teller, money));
        new Summary(narrator)
                .print(
                        acts,
                        teller.ledger().counts(),
                        verdict,
                        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
        return verdict;
    }

    private Stage open() {
        narrator.heading("Starting two databases, one coordinator, two agents, one client");
        narrator.paragraph(
                "Each is a process of its own. An agent drives the transactions of one database. The coordinator"
                        + " decides, for each transfer, whether it happens in both banks or in neither, and writes that down.");
        return running(new Stage(directory(), children, binaries, options.accounts()));
    }

    /** Lets transfers run for a while. Returns how many were committed. */
    private long stretch(Teller teller) {
        long committedBefore = teller.committed();
        teller.run(TransferRunner.WORKERS);
        watch(narrator, teller, options.stretchMillis());
        teller.pause();
        narrator.progress(progress(teller), true);
        return teller.committed() - committedBefore;
    }
}
