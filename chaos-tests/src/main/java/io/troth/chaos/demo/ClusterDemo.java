package io.troth.chaos.demo;

import io.troth.chaos.bank.TransferRunner;
import io.troth.chaos.cluster.Teller;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The demo with three coordinators: transfers run all the time, while one fault after the other is made and mended. */
final class ClusterDemo extends Show {

    private final ClusterOptions options;

    /**
     * A run that has not begun.
     *
     * @param binaries where the database programs are unpacked; null for the run's own directory
     */
    ClusterDemo(ClusterOptions options, Narrator narrator, @Nullable Path binaries) {
        super(narrator, binaries);
        this.options = options;
    }

    @Override
    Verdict run() {
        long began = System.nanoTime();
        ClusterStage opened = open();
        Teller teller = new Teller(opened.client());
        Timeline timeline = new Timeline();
        teller.onAnswer(timeline::told);
        long money = opened.banks().money();
        narrator.line("  " + money + " in " + 2 * options.accounts()
                + " accounts of two banks; the sum must never change. "
                + opened.members().lead().node() + " leads.");
        teller.run(TransferRunner.WORKERS);
        FaultRunner runner = new FaultRunner(opened.members(), teller, timeline, narrator, options.stretchMillis());
        List<FaultResult> results = new ArrayList<>();
        for (Fault fault : options.faults()) {
            results.add(runner.play(fault));
        }
        runner.calm();
        teller.pause();
        sabotage(options.sabotages(), opened.banks(), teller);
        Verdict verdict = Verdict.ofFaults(results, rest(opened.banks(), teller, money));
        ClusterSummary summary =
                new ClusterSummary(results, teller.ledger().counts(), verdict, timeline, System.nanoTime() - began);
        summary.print(narrator);
        write(summary);
        return verdict;
    }

    private ClusterStage open() {
        narrator.heading("Starting two databases, three coordinators, two agents, one client");
        narrator.paragraph("Each is a process of its own. One of the coordinators leads and decides, for each transfer,"
                + " whether it happens in both banks or in neither; a decision counts when two of the three have it on disk."
                + " Transfers run all the time from now on, " + TransferRunner.WORKERS
                + " at once; one that would overdraw an"
                + " account is rolled back in both banks (STATEMENT_FAILED).");
        return running(new ClusterStage(directory(), children, binaries, options.accounts()));
    }

    private void write(ClusterSummary summary) {
        Path file = options.out().resolve("timeline.html");
        try {
            Files.createDirectories(options.out());
            Files.writeString(file, summary.page());
        } catch (IOException e) {
            throw new IllegalStateException("cannot write " + file, e);
        }
        narrator.line("timeline: " + file.toAbsolutePath());
    }
}
