package io.troth.chaos;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.Date;
import org.junit.jupiter.api.Test;

/**
 * Goal: a clock that jumps changes nothing (pitfall 18). Method: no class of the product reads the wall clock, so no
 * decision, deadline or retention can depend on it; durations run on the monotonic clock, and between machines only
 * remaining times travel. Log lines get their time from the logging backend. Two places hand a wall clock out, and
 * neither decides anything: the date in a new INCARNATION file, for people, and the age of a canary's left-overs. The same
 * is asked of Raft's library, whose elections run on timeouts.
 */
class ClockTest {

    private static final JavaClasses PRODUCT = new ClassFileImporter()
            .withImportOption(location -> !location.contains("/test-classes/"))
            .importPackages("io.troth.core", "io.troth.coordinator", "io.troth.agent", "io.troth.client");

    private static final JavaClasses RAFT = new ClassFileImporter()
            .importPackages(
                    "org.apache.ratis.server",
                    "org.apache.ratis.grpc",
                    "org.apache.ratis.protocol",
                    "org.apache.ratis.statemachine",
                    "org.apache.ratis.util");

    @Test
    void nothingReadsTheWallClock() {
        noWallClockBut("io.troth.coordinator.server.ProcessEnvironment", "io.troth.agent.xa.ResourceDrivers")
                .check(PRODUCT);
    }

    @Test
    void raftReadsItForNamesAndLogLinesOnly() {
        assertTrue(RAFT.contain("org.apache.ratis.server.impl.FollowerState"), "this is about elections");
        noWallClockBut("org.apache.ratis.util.JavaUtils", "org.apache.ratis.util.StringUtils")
                .check(RAFT);
    }

    private static ArchRule noWallClockBut(String one, String other) {
        return noClasses()
                .that()
                .doNotHaveFullyQualifiedName(one)
                .and()
                .doNotHaveFullyQualifiedName(other)
                .should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(Instant.class, "now")
                .orShould()
                .callMethod(LocalDateTime.class, "now")
                .orShould()
                .callMethod(ZonedDateTime.class, "now")
                .orShould()
                .callMethod(OffsetDateTime.class, "now")
                .orShould()
                .callMethod(Clock.class, "systemUTC")
                .orShould()
                .callMethod(Clock.class, "systemDefaultZone")
                .orShould()
                .callConstructor(Date.class)
                .because("wall clocks jump, and no outcome may jump with them");
    }
}
