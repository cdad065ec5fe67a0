package io.troth.coordinator.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.admin.MemberFigures;
import io.troth.core.Build;
import io.troth.core.ClusterId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Goal: a scrape shows what a member is now, and docs/METRICS.md every meter of it. Method: figures that change. */
class MemberMetersTest {

    private static final Pattern ROW = Pattern.compile("\\| `(troth_member_[a-z_]+)` \\| ([a-z]+) \\|.*");

    private final AtomicReference<MemberFigures> figures =
            new AtomicReference<>(figures(ClusterView.Role.FOLLOWER, null, null));
    private final CoordinatorMetrics metrics = new CoordinatorMetrics(System::nanoTime);

    private static MemberFigures figures(
            ClusterView.Role role, ClusterView.@Nullable Contact contact, @Nullable Long snapshotMillis) {
        ClusterView view = new ClusterView(
                new ClusterId(1),
                "a",
                Build.VERSION,
                role,
                7,
                "a",
                1_000,
                990,
                List.of(
                        new ClusterView.Member("a", "a:1", null, null),
                        new ClusterView.Member("b", "b:1", null, contact)));
        return new MemberFigures(view, 3, 12, 2_000_000, 5_000_000, snapshotMillis);
    }

    private void shows(String line) {
        assertTrue(metrics.scrape().lines().anyMatch(line::equals), () -> line + " is not in\n" + metrics.scrape());
    }

    @Test
    void showsWhatTheMemberIsNow() {
        metrics.watchMember(figures::get);
        shows("troth_member_role{role=\"follower\"} 1.0");
        shows("troth_member_role{role=\"leader\"} 0.0");
        shows("troth_member_snapshot_age_seconds NaN");
        assertFalse(metrics.scrape().contains("troth_member_follower_lag{"));
        figures.set(figures(ClusterView.Role.LEADER, new ClusterView.Contact(900, 10), 2_500L));
        shows("troth_member_role{role=\"follower\"} 0.0");
        shows("troth_member_role{role=\"leader\"} 1.0");
        shows("troth_member_follower_lag{node=\"b\"} 100.0");
        shows("troth_member_term 7.0");
        shows("troth_member_committed_index 1000.0");
        shows("troth_member_applied_index 990.0");
        shows("troth_member_leader_changes_total 3.0");
        shows("troth_member_forces_total 12.0");
        shows("troth_member_force_duration_seconds{quantile=\"0.5\"} 0.002");
        shows("troth_member_force_duration_seconds{quantile=\"0.99\"} 0.005");
        shows("troth_member_snapshot_age_seconds 2.5");
        figures.set(figures(ClusterView.Role.FOLLOWER, null, null));
        assertFalse(metrics.scrape().contains("troth_member_follower_lag{"), "a follower has no followers");
    }

    @Test
    void everyMeterIsOnThePageWithItsType() throws IOException {
        figures.set(figures(ClusterView.Role.LEADER, new ClusterView.Contact(900, 10), 2_500L));
        metrics.watchMember(figures::get);
        Map<String, String> scraped = new TreeMap<>();
        metrics.scrape()
                .lines()
                .filter(line -> line.startsWith("# TYPE troth_member_"))
                .forEach(line -> {
                    String[] words = line.split(" ", -1);
                    scraped.put(words[2], words[3]);
                });
        Map<String, String> documented = new TreeMap<>();
        for (String line : Files.readAllLines(Path.of("..", "docs", "METRICS.md"))) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                documented.put(row.group(1), row.group(2));
            }
        }
        assertEquals(documented, scraped);
    }
}
