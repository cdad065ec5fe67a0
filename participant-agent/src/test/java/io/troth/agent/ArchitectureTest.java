package io.troth.agent;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Each library is imported by the packages that are named for it. Reads the compiled classes. */
@AnalyzeClasses(packages = "io.troth.agent", importOptions = ArchitectureTest.WithoutTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule SQL_STAYS_IN_ITS_PACKAGES = noClasses()
            .that()
            .resideOutsideOfPackages("..agent.xa..", "..agent.jdbc..", "..agent.sql..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql..", "javax.transaction.xa..", "org.postgresql..")
            .because("databases are spoken to in agent.xa, agent.jdbc and agent.sql")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule XA_STAYS_WITH_THE_DRIVERS = noClasses()
            .that()
            .resideOutsideOfPackage("..agent.xa..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("javax.transaction.xa..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule THE_POOL_STAYS_BEHIND_OUR_INTERFACE = noClasses()
            .that()
            .resideOutsideOfPackage("..agent.jdbc..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.agroal..", "com.zaxxer..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule MICROMETER_STAYS_IN_ITS_PACKAGE = noClasses()
            .that()
            .resideOutsideOfPackage("..agent.metrics..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.micrometer..", "io.prometheus..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule GRPC_AND_WIRE_TYPES_STAY_IN_THEIR_PACKAGE = noClasses()
            .that()
            .resideOutsideOfPackage("..agent.grpc..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.grpc..", "io.troth.proto..", "com.google.protobuf..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule THE_ENGINE_KNOWS_ONLY_ITS_PORTS = noClasses()
            .that()
            .resideInAPackage("..engine..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "..agent.grpc..",
                    "..agent.metrics..",
                    "..agent.server..",
                    "..agent.xa..",
                    "..agent.jdbc..",
                    "..agent.sql..",
                    "java.sql..",
                    "javax.sql..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule THE_CLIENTS_INSIDE_IS_NOT_OURS = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.troth.client.internal..")
            .allowEmptyShould(true);

    /** What the public package makes may know the public package: an entry point has to start somewhere. */
    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES = slices().matching("io.troth.(**)")
            .should()
            .beFreeOfCycles()
            .ignoreDependency(resideInAPackage("io.troth.agent"), alwaysTrue())
            .allowEmptyShould(true);

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

    /** Leaves the tests out, also those of a quick build. */
    static final class WithoutTests implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("/test-classes/");
        }
    }
}
