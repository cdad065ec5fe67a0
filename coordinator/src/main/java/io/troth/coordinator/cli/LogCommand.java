package io.troth.coordinator.cli;

import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogReport;
import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.Watermark;
import io.troth.coordinator.log.raft.Conversion;
import io.troth.coordinator.log.raft.MemberInspection;
import io.troth.coordinator.log.raft.RaftSettings;
import io.troth.coordinator.log.rocksdb.LogInspection;
import io.troth.coordinator.log.rocksdb.LogRestore;
import io.troth.coordinator.server.ProcessEnvironment;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code troth log}: the decision log of a coordinator that is not running. */
@Command(
        name = "log",
        description = "Verifies, dumps or restores a decision log, offline.",
        subcommands = {LogCommand.Verify.class, LogCommand.Dump.class, LogCommand.Restore.class})
final class LogCommand extends Group {

    /** A command that reads a data directory and changes nothing in it. */
    abstract static class Inspection implements Callable<Integer> {

        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "DIRECTORY", description = "The data directory, or a copy of it.")
        private Path directory;

        @Option(names = "--json", description = "One JSON object a line.")
        private boolean json;

        @SuppressWarnings("NullAway.Init") // picocli fills them in.
        Inspection() {}

        final boolean isJson() {
            return json;
        }

        final PrintWriter out() {
            return spec.commandLine().getOut();
        }

        final int inspect(LogInspection.Sink sink) {
            Path scratch = scratch();
            try {
                LogReport report = MemberInspection.inspect(directory, LogInspection.inspect(directory, scratch, sink));
                print(report);
                return report.isGood() ? ExitCode.OK : ExitCode.FAILED;
            } finally {
                delete(scratch);
            }
        }

        private static Path scratch() {
            try {
                return Files.createTempDirectory("troth-log");
            } catch (IOException e) {
                throw new LogRefusedException(
                        LogRefusal.UNUSABLE,
                        Path.of(System.getProperty("java.io.tmpdir")),
                        "no temporary directory can be made in it: " + e,
                        e);
            }
        }

        private static void delete(Path scratch) {
            try (Stream<Path> files = Files.walk(scratch)) {
                for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(each);
                }
            } catch (IOException e) {
                throw new UncheckedIOException("the temporary directory " + scratch + " is left behind", e);
            }
        }

        private void print(LogReport report) {
            Incarnation incarnation = report.incarnation();
            Watermark last = report.lastBatch();
            String cluster = incarnation == null ? null : incarnation.cluster().toString();
            Map<RecordKind, Integer> records = new TreeMap<>(report.records());
            if (json) {
                JsonLine counts = new JsonLine();
                records.forEach((kind, count) -> counts.add(name(kind), count));
                out().println(new JsonLine()
                        .add("good", report.isGood())
                        .add("cluster", cluster)
                        .add("lastBatch", last == null ? -1 : last.batch())
                        .add("highestEpoch", report.highestEpoch())
                        .add("records", counts)
                        .addTexts("notes", report.notes())
                        .addTexts("damages", report.damages()));
                return;
            }
            out().println("cluster " + (cluster == null ? "unknown" : cluster) + ", highest epoch "
                    + report.highestEpoch() + ", last batch " + (last == null ? "unknown" : last.batch()));
            records.forEach((kind, count) -> out().println("%-10s%d".formatted(name(kind), count)));
            report.notes().forEach(note -> out().println("note: " + note));
            report.damages().forEach(damage -> out().println("damage: " + damage));
            out().println(report.isGood() ? "The log is good." : "A coordinator of this version does not start on it.");
        }

        private static String name(RecordKind kind) {
            return kind == RecordKind.END ? "ENDED" : kind.name();
        }
    }

    @Command(name = "verify", description = "Reads everything; ends with 0 when a coordinator would start on it.")
    static final class Verify extends Inspection {
        @Override
        public Integer call() {
            return inspect((place, stored) -> {});
        }
    }

    @Command(name = "dump", description = "Prints every record, of a damaged log as far as it can be read.")
    static final class Dump extends Inspection {
        @Override
        public Integer call() {
            return inspect((place, stored) ->
                    out().println(isJson() ? RecordText.json(place, stored) : RecordText.text(place, stored)));
        }
    }

    @Command(
            name = "restore",
            description = "Makes a log that came from a backup, or lost its end, one that a coordinator may start on:"
                    + " what it does not know is from now on unknown, no longer rolled back. A member of a cluster becomes"
                    + " the only one: the others must be lost.")
    static final class Restore extends Configured {

        @Option(
                names = "--through-epoch",
                paramLabel = "N",
                description = "The highest epoch that any agent may have heard of. Default: a million above the log's.")
        @Nullable
        private Long throughEpoch;

        @Override
        int run(CoordinatorConfig config, PrintWriter out, PrintWriter err) {
            long through = throughEpoch == null ? 0 : throughEpoch;
            if (throughEpoch != null && (through < 1 || through > LogRestore.THROUGH_EPOCH_MAX)) {
                err.println("troth: --through-epoch " + through + " is no epoch to distrust up to: give one from 1 to "
                        + LogRestore.THROUGH_EPOCH_MAX + ", a little above the highest that an agent has heard of, or"
                        + " leave the option out. Nothing was changed.");
                return ExitCode.USAGE;
            }
            LogEnvironment environment = ProcessEnvironment.log(LogObserver.NONE);
            RaftSettings member = config.member();
            try {
                if (member == null) {
                    LogRestore.Restored restored = LogRestore.restore(config.log(), environment, through);
                    out.println(text(restored) + " Start the coordinator now.");
                    return ExitCode.OK;
                }
                Conversion.Restored restored = Conversion.restore(member, environment, through);
                out.println(text(restored.log()) + " Of Raft's log, " + restored.entriesLeftOut()
                        + " entries at the end are left out: nobody knows whether they were decided. Member "
                        + member.node() + " is the only one now: start it, then make the others anew and add them.");
                return ExitCode.OK;
            } catch (IOException e) {
                err.println("troth: the log cannot be restored: " + e.getMessage());
                return ExitCode.FAILED;
            }
        }

        private static String text(LogRestore.Restored restored) {
            return "Restored: cluster " + restored.cluster() + ", highest epoch of the log " + restored.highestEpoch()
                    + ". Epochs up to " + restored.distrusted()
                    + " are distrusted: their transactions without a record are UNKNOWN.";
        }
    }
}
