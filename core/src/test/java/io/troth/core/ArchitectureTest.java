package io.troth.core;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The core stays a pure function: what it may not touch, it cannot depend on. Reads the compiled classes. */
@AnalyzeClasses(packages = "io.troth.core", importOptions = ArchitectureTest.WithoutTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule CORE_USES_NEARLY_NOTHING = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "io.troth.core..",
                    "java.lang",
                    "java.lang.annotation",
                    "java.lang.invoke",
                    "java.lang.runtime",
                    "java.nio.charset",
                    "java.util",
                    "java.util.function",
                    "java.util.stream",
                    "org.jspecify.annotations")
            .because("the protocol has no I/O, no clock, no thread and no library");

    @ArchTest
    static final ArchRule CORE_TOUCHES_NO_CLOCK_THREAD_RANDOM_OR_ENVIRONMENT = noClasses()
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(
                    Thread.class,
                    ThreadLocal.class,
                    Runtime.class,
                    Process.class,
                    ProcessBuilder.class,
                    ProcessHandle.class,
                    ClassLoader.class,
                    java.util.Random.class,
                    java.util.SplittableRandom.class,
                    java.util.UUID.class,
                    java.util.Timer.class,
                    java.util.Date.class,
                    java.util.Calendar.class,
                    java.util.TimeZone.class,
                    java.util.Scanner.class,
                    java.util.Properties.class,
                    java.util.ServiceLoader.class)
            .orShould()
            .callMethod(Math.class, "random")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "getenv")
            .orShould()
            .callMethod(System.class, "getenv", String.class)
            .orShould()
            .callMethod(System.class, "getProperty", String.class)
            .orShould()
            .callMethod(System.class, "getProperty", String.class, String.class)
            .orShould()
            .callMethod(System.class, "identityHashCode", Object.class)
            .orShould()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(java.util.Collection.class, "parallelStream")
            .orShould()
            .callMethodWhere(target(name("parallel")))
            .because("the same state and the same event always give the same actions");

    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES =
            slices().matching("io.troth.(**)").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule NAMES_AND_VALUES_KNOW_NO_MACHINE = noClasses()
            .that()
            .resideInAPackage("io.troth.core")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.troth.core.coordinator..", "io.troth.core.participant..");

    /** Leaves the tests out, also those of a quick build. */
    static final class WithoutTests implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("/test-classes/");
        }
    }
}
