package io.troth.coordinator;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Each library is imported by the one package that is named for it. Reads the compiled classes. */
@AnalyzeClasses(packages = "io.troth.coordinator", importOptions = ArchitectureTest.WithoutTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule ROCKSDB_STAYS_IN_ITS_PACKAGE = only("..coordinator.log.rocksdb..", "org.rocksdb..");

    @ArchTest
    static final ArchRule RATIS_STAYS_IN_ITS_PACKAGE = only("..coordinator.log.raft..", "org.apache.ratis..");

    @ArchTest
    static final ArchRule MICROMETER_STAYS_IN_ITS_PACKAGE = only("..metrics..", "io.micrometer..", "io.prometheus..");

    @ArchTest
    static final ArchRule THE_CONFIGURATION_LIBRARY_STAYS_IN_ITS_PACKAGE = only("..config..", "com.typesafe.config..");

    @ArchTest
    static final ArchRule GRPC_AND_NETTY_STAY_IN_THEIR_PACKAGE = only("..grpc..", "io.grpc..", "io.netty..");

    @ArchTest
    static final ArchRule WIRE_TYPES_STAY_AT_THE_WIRE = noClasses()
            .that()
            .resideOutsideOfPackages("..grpc..", "io.troth.coordinator.log")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.troth.proto..", "com.google.protobuf..")
            .because("only the services and the log codec speak Protobuf")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule THE_COORDINATOR_SPEAKS_TO_NO_DATABASE = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql..", "javax.sql..", "javax.transaction..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule THE_ENGINE_KNOWS_ONLY_ITS_PORTS = noClasses()
            .that()
            .resideInAPackage("..engine..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "..coordinator.grpc..",
                    "..coordinator.log..",
                    "..coordinator.metrics..",
                    "..coordinator.server..",
                    "..coordinator.cli..",
                    "..coordinator.config..",
                    "..coordinator.admin..",
                    "org.rocksdb..",
                    "org.apache.ratis..",
                    "io.grpc..",
                    "io.netty..",
                    "io.micrometer..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES =
            slices().matching("io.troth.(**)").should().beFreeOfCycles().allowEmptyShould(true);

    @ArchTest
    static final ArchRule CLOCKS_AND_THREADS_ARE_MADE_AT_THE_EDGE = noClasses()
            .that()
            .resideOutsideOfPackage("..server..")
            .and()
            .haveSimpleNameNotEndingWith("Clock")
            .and()
            .haveSimpleNameNotEndingWith("Timers")
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(Thread.class, "sleep", long.class)
            .orShould()
            .callMethod(java.time.Instant.class, "now")
            .orShould()
            .callConstructorWhere(target(owner(assignableTo(Thread.class))))
            .because("whoever needs the time or a thread is given it, so that a test can give another")
            .allowEmptyShould(true);

    private static ArchRule only(String home, String... libraries) {
        return noClasses()
                .that()
                .resideOutsideOfPackage(home)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(libraries)
                .because("only " + home + " may use it")
                .allowEmptyShould(true);
    }

    /** Leaves the tests out, also those of a quick build. */
    static final class WithoutTests implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("/test-classes/");
        }
    }
}
