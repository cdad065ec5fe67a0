package io.troth.coordinator.cli;

import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.StoredRecord;
import io.troth.core.BranchId;
import io.troth.core.coordinator.LogRecord;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/** A record of the log as a line for people, and as one for programs. */
final class RecordText {

    private RecordText() {}

    static String text(String place, StoredRecord stored) {
        return "%-9s %s  (epoch %d, batch %d, %s)"
                .formatted(
                        stored.kind() == RecordKind.END ? "ENDED" : stored.kind(),
                        stored.record().accept(new Text()),
                        stored.epochNumber(),
                        stored.batch(),
                        place);
    }

    static JsonLine json(String place, StoredRecord stored) {
        JsonLine json = new JsonLine()
                .add(
                        "kind",
                        stored.kind() == RecordKind.END
                                ? "ENDED"
                                : stored.kind().name())
                .add("epoch", stored.epochNumber())
                .add("batch", stored.batch())
                .add("place", place);
        return stored.record().accept(new Json(json));
    }

    private static final class Text implements LogRecord.Visitor<String> {
        @Override
        public String epoch(LogRecord.Epoch epoch) {
            return epoch.epoch().toString();
        }

        @Override
        public String commit(LogRecord.Commit commit) {
            return commit.tx()
                    + commit.branches().stream()
                            .map(branch -> branch.branch() + " at " + branch.resource())
                            .collect(Collectors.joining(", ", " [", "]"));
        }

        @Override
        public String end(LogRecord.End end) {
            return end.tx().toString();
        }

        @Override
        public String horizon(LogRecord.Horizon horizon) {
            return "epoch " + horizon.epoch() + " session " + horizon.session();
        }

        @Override
        public String distrust(LogRecord.Distrust distrust) {
            return "up to epoch " + distrust.epochNumber();
        }

        @Override
        public String heuristic(LogRecord.Heuristic heuristic) {
            BranchId branch = heuristic.branch();
            return heuristic.tx() + " " + (branch == null ? "all branches" : branch) + " " + heuristic.decision() + ": "
                    + heuristic.reason();
        }
    }

    private record Json(JsonLine json) implements LogRecord.Visitor<JsonLine> {
        @Override
        public JsonLine epoch(LogRecord.Epoch epoch) {
            return json.add("opens", epoch.epoch().toString());
        }

        @Override
        public JsonLine commit(LogRecord.Commit commit) {
            List<JsonLine> branches = commit.branches().stream()
                    .map(branch -> new JsonLine()
                            .add("branch", branch.branch().toString())
                            .add("resource", branch.resource())
                            .add("proof", proof(branch)))
                    .toList();
            return json.add("tx", commit.tx().toString()).addObjects("branches", branches);
        }

        private static String proof(LogRecord.YesBranch branch) {
            return branch.proof() == null
                    ? ""
                    : HexFormat.of().formatHex(branch.proof().toByteArray());
        }

        @Override
        public JsonLine end(LogRecord.End end) {
            return json.add("tx", end.tx().toString());
        }

        @Override
        public JsonLine horizon(LogRecord.Horizon horizon) {
            return json.add("through", horizon.epoch().toString()).add("session", horizon.session());
        }

        @Override
        public JsonLine distrust(LogRecord.Distrust distrust) {
            return json.add("through", distrust.epochNumber());
        }

        @Override
        public JsonLine heuristic(LogRecord.Heuristic heuristic) {
            BranchId branch = heuristic.branch();
            return json.add("tx", heuristic.tx().toString())
                    .add("branch", branch == null ? null : branch.toString())
                    .add("decision", heuristic.decision().name())
                    .add("reason", heuristic.reason());
        }
    }
}
