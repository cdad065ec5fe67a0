package io.troth.client;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What an application imports shows no transport. Reads the compiled classes. */
@AnalyzeClasses(packages = "io.troth.client", importOptions = ArchitectureTest.WithoutTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule WIRE_TYPES_STAY_INSIDE = noClasses()
            .that()
            .resideOutsideOfPackage("io.troth.client.internal..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.troth.proto..", "com.google.protobuf..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule THE_PUBLIC_PACKAGE_SHOWS_NO_GRPC = noClasses()
            .that()
            .resideInAPackage("io.troth.client")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.grpc..")
            .because("gRPC types are public only in client.grpc")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule THE_CONTEXT_KNOWS_OF_GRPC_ONLY_ITS_CONTEXT = noClasses()
            .that()
            .resideInAPackage("io.troth.client.context..")
            .should()
            .dependOnClassesThat(resideInAPackage("io.grpc..")
                    .and(DescribedPredicate.not(nameMatching("io\\.grpc\\.Context(\\$.*)?"))))
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule OF_THE_CORE_ONLY_ITS_NAMES_AND_VALUES = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.troth.core.*..")
            .because("the machines of the protocol run in the coordinator and in the agent")
            .allowEmptyShould(true);

    /** What the public package makes may know the public package: an entry point has to start somewhere. */
    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES = slices().matching("io.troth.(**)")
            .should()
            .beFreeOfCycles()
            .ignoreDependency(resideInAPackage("io.troth.client"), alwaysTrue())
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
