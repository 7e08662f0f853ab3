"""The verbs of the sample and what goes with them, so that sentences mean something.

One verb a line: ``lemma | subjects | objects | adjuncts | manners``. Subjects and objects name classes of nouns or single
nouns; ``-`` as the object: intransitive; objects in brackets may be left out. An adjunct is ``preposition:nouns``, with
``!`` after the preposition when the verb needs it. A ``*`` after the lemma marks a state, which is told in the imperfect
(vivía), where an event takes the preterite (comió).
"""

from __future__ import annotations

VERBS = """
comer | human | food | en:house,town con:kin | speed
ver | human | animal,human,boat | en:outdoors,way,town |
ir | human | - | a!:goal con:kin,pet | speed
tener* | human | farm,pet,thing,boat,kin,fruit,trabajo | en:casa |
dar | human | food,goods,regalo,flor | a!:human | care
cocinar | human | cookable | en:olla,cocina,patio con:kin,sal,leña | skill care
trabajar | adult,kin | - | en:outdoors,town con:kin | skill amount speed care where
vivir* | human | - | en!:house,town,outdoors,shore con:kin,pet | skill quiet
buscar | human | small,beast,kin,tool,stuff | en:outdoors,house,way | care where
beber | human,beast | drink | en:house | speed
caminar | human,beast | - | por:way,outdoors,shore con:kin,pet | amount speed quiet where
venir | human | - | de!:goal con:kin,pet | speed
traer | human | food,goods,stuff | de:town,outdoors,water | care
cantar | human,bird | (canción) | en:outdoors,plaza,fiesta | skill amount care where
dormir | human,beast | - | en:cama,hamaca,house con:pet | skill amount quiet where
llegar | human | - | a:town,shore,goal con:kin | speed
comprar | human | food,goods,crop,spice,furniture | en:mercado,tienda,ciudad | where
jugar | child,pet,mono | - | con:toy,pet,child en:patio,playa,calle,plaza | amount care where
hablar | human | - | con:human de:event,art,town,kin en:plaza,mercado,fiesta | skill amount speed
pescar | human | (pez) | en:water con:red | skill quiet where
sembrar | human | crop,flor,semilla | en:campo,huerta,valle con:kin | care where
lavar | human | clothes,olla,plato | en:río,patio con:agua | skill care
lavarse | human | body | en:río,lago con:agua | care
levantar | human | body,piedra,caja,olla | | speed care
mirar | human,pet | sky,height,boat,bird,insect,fuego | |
escuchar | human | speech,art,music,weather,bird | | care
contar | human | cuento,historia,noticia,sueño | a:human en:fiesta,plaza | skill
leer | human | libro,carta,cuento,historia,noticia | en:hamaca,escuela,jardín a:child | skill speed quiet
escribir | human | carta,cuento,historia,nombre,palabra | con:lápiz en:papel a:kin | skill speed
volver | human,beast | - | a:goal de:town,outdoors,water con:kin | speed
salir | human,beast | - | de:house,town,cueva con:kin | speed quiet
entrar | human,beast | - | en!:house,cueva,bosque,tienda | speed
subir | human,mono,gato | - | a!:height,árbol,techo con:kin | speed care
bajar | human,cabra | - | de!:height por:camino | speed care
encontrar | human | small,stuff,beast,crop,vessel | en:outdoors,way,house |
llevar | human | goods,food,stuff,beast | a!:town,house,boat en:canoa,canasta,carro | care
vender | adult,kin | crop,fruit,clothes,vessel,meal,farm | en:mercado,plaza,tienda a:adult | where
cuidar | human | farm,pet,bebé,jardín,huerta,abuela,abuelo | | skill care
cortar | human | leña,madera,hierba,rama,pan,carne,flor | con:cuchillo,machete,hacha | care
construir | adult,kin | casa,cocina,boat,puente,camino,techo | con:madera,piedra,barro | speed care
abrir | human | opening,caja,tienda | con:llave | care
cerrar | human | opening,caja,tienda | con:llave | care
amar* | human | kin,pueblo,mar,tierra,music | |
esperar | human | kin,lluvia,barco,noticia,cosecha | en:plaza,casa | quiet where
ayudar | human | human | en:cocina,campo con:trabajo,cosecha | amount care
visitar | human | kin,vecina,amigo,maestra,town | con:kin |
tejer | human | manta,red,canasta,hamaca,sombrero | con:lana en:patio | skill care
nadar | human,fish,pato,perro | - | en:water con:kin | skill speed amount where
correr | child,farm,pet,wild | - | por:way,playa,campo,bosque en:patio | amount speed where
volar | bird,insect | - | sobre:water,outdoors,town por:cielo | speed quiet where
crecer | crop,plant,niño,niña,semilla | - | en:huerta,campo | skill amount speed where
descansar | human,beast | - | en:hamaca,jardín con:kin | amount quiet where
enseñar | maestra,abuela,abuelo,padre,madre,jefe,músico | art,palabra,cuento | a!:child en:escuela | skill care
aprender | child | art,palabra,cuento | en:escuela con:maestra,abuelo | skill speed
bailar | human | - | en:fiesta,plaza con:amiga,amigo,kin | skill amount care where
tocar | human | music | en:fiesta,plaza,escuela | skill care
preparar | human | meal,café,canoa,red | en:casa,patio | care speed
necesitar* | human | small,tool,crop,consejo,spice,leña | |
conocer* | human | human,way,town,historia,canción,lengua | | skill
recoger | human | fruit,plantpart,leña,flor,huevo | en:huerta,bosque con:kin | speed care
cargar | human,burro,caballo | stuff,canasta,caja | por:way | care
limpiar | human | room,furniture,vessel,opening | con:agua,escoba | skill care
usar | human | tool,vessel,boat,light,vehicle | | skill care
hacer | human | pan,queso,collar,canasta,juguete | en:cocina,patio | skill care
cruzar | human,beast,boat | río,puente,lago,valle,calle,mar | con:kin | speed care
regar | human | huerta,jardín,plant,crop | con:agua | care
perder | human | small,zapato,pelota,sombrero | en:way,mercado,bosque |
guardar | human | small,crop,clothes,reading | en:caja,casa | care
pedir | human | agua,consejo,pan,sal,dinero | a!:kin,vecina,jefe,maestra |
mostrar | human | way,reading,regalo,casa,huerta | a!:human | care
recordar | human | historia,nombre,canción,way,sueño,abuela | | skill
olvidar | human | nombre,palabra,llave,sombrero | en:town,casa |
encender | human | light | en:cocina,patio,cueva con:leña | care
apagar | human | light | con:agua | speed
calentar | human | sopa,leche,agua,pan,olla | en:fuego,cocina |
moler | human | maíz,café | con:piedra en:patio | skill
probar | human | meal,fruit,drink | en:cocina,mercado |
romper | child,cabra,mono | plato,juguete,rama | |
reparar | adult,kin | boat,red,vehicle,techo,furniture,puente | con:cuerda en:patio | skill care
llorar | child | - | en:cama,escuela | amount quiet where
sonreír | human | - | en:sueño | quiet
soñar | human | - | con!:sky,bird,wild,kin,mar,regalo | amount
pensar | human | - | en!:kin,event,trabajo,amiga | amount
brillar | sol,luna,estrella | - | en:cielo sobre:water,outdoors,town | amount
soplar | viento | - | en:shore,height sobre:outdoors,water | amount
caer | lluvia,hoja,semilla,rama | - | en:way,outdoors,patio sobre:techo,tierra,lago |
levantarse | human | - | de:cama,silla | speed
bañarse | human,pato,perro | - | en:water,playa con:kin | amount care
sentarse | human | - | en!:silla,hamaca,piedra con:kin | quiet
despertarse | human | - | en:hamaca,casa,cama |
esconderse | child,wild,gato | - | en!:cueva,bosque,hierba,jardín | skill quiet
alimentar | human | farm,pet,bird | con:maíz,hierba,fruit en:patio | care
invitar | human | human | a!:fiesta,casa,cosecha |
saludar | human | human | en:way,mercado,plaza | care
abrazar | human | kin,child,pet | en:puerta | care
servir | human | meal,drink | a!:human | care
barrer | human | house,calle,plaza | con:escoba | speed care
iluminar | sol,luna,light | house,way,cueva,campo,plaza | |
terminar | human | trabajo,libro,carta,canasta,sopa | con:kin | skill speed
empezar | human | trabajo,juego,baile,libro,canción | con:kin en:plaza,escuela |
pintar | human | opening,canoa,cántaro,casa | con:kin | skill care
remar | human | - | en!:canoa por:río,lago | skill speed
navegar | barco,canoa | - | por!:mar,río,lago | speed quiet
ordeñar | human | vaca,cabra | en:patio con:kin | speed care
curar | médico,abuela | child,farm,pet,kin | con:hoja,raíz,hierba en:casa | care
celebrar | human | fiesta,cosecha | en:town con:kin,canción | care
saltar | wild,child,pet | - | sobre:piedra,río en:cama,patio | amount where
seguir | pet,child | human,mariposa,way | por:way,campo | quiet
enviar | human | carta,regalo,noticia,dinero | a!:human | speed
secar | human,sol,viento | clothes,pescado | en:patio,techo |
mover | viento,mono,human | rama,hoja,opening,furniture | | care
atar | human | caballo,burro,boat | con:cuerda a:árbol | care
cubrir | nube,hierba | height,campo,pueblo,way | |
proteger | perro,techo,jefe,madre | casa,oveja,pueblo,bebé | |
ordenar | human | reading,clothes,toy,tool | en:caja,casa | care
"""

MODALS = "querer poder"
FEELINGS = "hambre, sed, frío, calor, miedo, sueño, prisa"
"""``tener`` with a bare noun: one verb in Tamuri."""

SKY_VERBS = "llover, amanecer, anochecer, tronar, nevar"
"""Verbs without a subject."""

COPULA, LOCATIVE_COPULA, EXISTENTIAL = "ser", "estar", "haber"
