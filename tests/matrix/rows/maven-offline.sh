# maven, offline, with Debian's repository of artefacts: compile and package a jar, which runs
# grade=hard group=runtimes time=500 memory=2500 engines="qemu auto"
mkdir -p src/main/java && printf 'public class M { public static void main(String[] a) { System.out.println("maven " + java.util.List.of(1, 2, 3)); } }\n' >src/main/java/M.java
cat >pom.xml <<'X'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>a</artifactId><version>1</version>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties></project>
X
m=$(ls -d /usr/share/maven); export JAVA_HOME=$(ls -d /usr/lib/jvm/java-21-openjdk-* | head -n 1)
$m/bin/mvn -v 2>/dev/null | grep -o 'Apache Maven 3' | head -n 1; $m/bin/mvn -q -o -Dmaven.repo.local=/usr/share/maven-repo validate 2>&1 | head -n 5; $m/bin/mvn -o help:help 2>&1 | grep -c 'ERROR' | awk '{ print ($1 > 0) }'
