package io.troth.bench;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The harness treats all contenders alike, since it knows none of them. Reads the compiled classes. */
@AnalyzeClasses(packages = "io.troth.bench", importOptions = ArchitectureTest.WithoutTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule CONTENDERS_ARE_KNOWN_TO_THE_MAIN_ONLY = noClasses()
            .that()
            .resideOutsideOfPackage("io.troth.bench")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.troth.bench");

    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES =
            slices().matching("io.troth.(**)").should().beFreeOfCycles();

    /** Leaves the tests out, also those of a quick build. */
    static final class WithoutTests implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("/test-classes/");
        }
    }
}
